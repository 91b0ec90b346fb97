//! Plots as SVG: lines over steps, and bars.

use std::fmt::Write as _;

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 52.0;
const BOTTOM: f64 = 26.0;
const TOP: f64 = 26.0;
const RIGHT: f64 = 10.0;
/// The largest number of points of a line: more cannot be distinguished.
const POINTS: usize = 400;

/// A line chart over steps; each line has a name.
pub(super) fn lines(title: &str, series: &[(&str, &[(f64, f64)])]) -> String {
    let all = || series.iter().flat_map(|(_, points)| points.iter().copied());
    let Some(frame) = Frame::around(all()) else { return String::new() };
    let mut svg = frame.open(title);
    for (number, (name, points)) in series.iter().enumerate() {
        let _ = write!(svg, "<polyline class=\"line line-{}\" points=\"", number % 6);
        for (x, y) in thinned(points) {
            let _ = write!(svg, "{:.1},{:.1} ", frame.x(x), frame.y(y));
        }
        svg.push_str("\"/>");
        let place = TOP + 12.0 + 13.0 * number as f64;
        let _ = write!(
            svg,
            "<text class=\"name name-{}\" x=\"{:.0}\" y=\"{place:.0}\">{}</text>",
            number % 6,
            WIDTH - RIGHT - 4.0,
            escape(name)
        );
    }
    svg + "</svg>"
}

/// A bar chart with labels, the first bars on top.
pub(super) fn bars(title: &str, bars: &[(String, usize)]) -> String {
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1) as f64;
    let sum = bars.iter().map(|(_, count)| *count).sum::<usize>().max(1) as f64;
    let height = 34.0 + 17.0 * bars.len() as f64;
    let mut svg = open(title, height);
    for (number, (label, count)) in bars.iter().enumerate() {
        let y = 34.0 + 17.0 * number as f64;
        let width = (WIDTH - 190.0) * *count as f64 / most;
        let _ = write!(
            svg,
            "<text class=\"label\" x=\"112\" y=\"{:.0}\">{}</text>\
             <rect class=\"bar\" x=\"120\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"12\"/>\
             <text class=\"value\" x=\"{:.1}\" y=\"{:.0}\">{:.1} %</text>",
            y + 10.0,
            escape(label),
            126.0 + width,
            y + 10.0,
            100.0 * *count as f64 / sum
        );
    }
    svg + "</svg>"
}

fn open(title: &str, height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{0}\">\
         <text class=\"title\" x=\"8\" y=\"16\">{0}</text>",
        escape(title)
    )
}

/// The range of values that a plot shows.
struct Frame {
    x: [f64; 2],
    y: [f64; 2],
}

impl Frame {
    fn around(points: impl Iterator<Item = (f64, f64)> + Clone) -> Option<Self> {
        let bounds = |values: &mut dyn Iterator<Item = f64>| {
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
                [low.min(value), high.max(value)]
            })
        };
        let x = bounds(&mut points.clone().map(|(x, _)| x));
        let y = bounds(&mut points.map(|(_, y)| y));
        let wide = |[low, high]: [f64; 2]| match high > low {
            true => [low, high],
            false => [low - 0.5, high + 0.5],
        };
        x[0].is_finite().then(|| Self { x: wide(x), y: wide(y) })
    }

    fn x(&self, x: f64) -> f64 {
        let way = (x - self.x[0]) / (self.x[1] - self.x[0]);
        LEFT + way * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, y: f64) -> f64 {
        let way = (y - self.y[0]) / (self.y[1] - self.y[0]);
        HEIGHT - BOTTOM - way * (HEIGHT - BOTTOM - TOP)
    }

    fn open(&self, title: &str) -> String {
        let mut svg = open(title, HEIGHT);
        for part in 0..=4 {
            let value = self.y[0] + (self.y[1] - self.y[0]) * f64::from(part) / 4.0;
            let y = self.y(value);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"value end\" x=\"{}\" y=\"{:.1}\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                short(value)
            );
        }
        for (place, x) in [("start", self.x[0]), ("end", self.x[1])] {
            let _ = write!(
                svg,
                "<text class=\"value {place}\" x=\"{:.1}\" y=\"{}\">{x:.0}</text>",
                self.x(x),
                HEIGHT - 8.0
            );
        }
        svg
    }
}

/// A number in as few digits as distinguish it from its neighbours.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.01 || size == 0.0 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

/// Averages neighbours, so that no more points are left than can be seen.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let together = points.len().div_ceil(POINTS).max(1);
    let mean = |points: &[(f64, f64)]| {
        let count = points.len() as f64;
        let sum = points.iter().fold((0.0, 0.0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        (sum.0 / count, sum.1 / count)
    };
    points.chunks(together).map(mean).collect()
}

/// Escapes a text for markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
