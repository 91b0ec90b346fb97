//! Schedules of tau and of the learning rate over the steps.

use std::f32::consts::PI;

use crate::run::{Decay, ScheduleSettings, Shape, Tau};

/// The temperature of picks at a step.
pub(crate) fn tau(settings: &Tau, step: u32, steps: u32) -> f32 {
    let Tau { start, end, shape } = *settings;
    let way = step as f32 / steps.saturating_sub(1).max(1) as f32;
    match shape {
        Shape::Constant => start,
        Shape::Linear => start + (end - start) * way,
        Shape::Exponential => start * (end / start).powf(way),
        Shape::Cosine => end + (start - end) * 0.5 * (1.0 + (PI * way).cos()),
    }
}

/// The factor of the learning rate at a step, from 0: rises to 1 in the warm-up, then falls.
pub(crate) fn rate(settings: &ScheduleSettings, step: u32) -> f32 {
    let warm_up = settings.warm_up * settings.steps as f32;
    let done = (step + 1) as f32;
    if done < warm_up {
        return done / warm_up;
    }
    let way = (done - warm_up) / (settings.steps as f32 - warm_up).max(1.0);
    match settings.decay {
        Decay::Cosine => 0.5 * (1.0 + (PI * way).cos()),
        Decay::Linear => 1.0 - way,
        Decay::Constant => 1.0,
    }
    .max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tau_by_hand() {
        let at = |shape, step| tau(&Tau { start: 4.0, end: 1.0, shape }, step, 5);
        let close = |found: f32, wanted: f32| assert!((found - wanted).abs() < 1e-6, "{found}");
        for shape in [Shape::Linear, Shape::Exponential, Shape::Cosine] {
            close(at(shape, 0), 4.0);
            close(at(shape, 4), 1.0);
        }
        close(at(Shape::Constant, 4), 4.0);
        close(at(Shape::Linear, 2), 2.5);
        close(at(Shape::Exponential, 2), 2.0);
        close(at(Shape::Cosine, 1), 1.0 + 1.5 * (1.0 + 0.5_f32.sqrt()));
        close(tau(&Tau::default(), 0, 1), 1.0);
    }

    #[test]
    fn rates_rise_and_fall() {
        let settings = |decay| ScheduleSettings {
            steps: 10,
            warm_up: 0.4,
            decay,
            ..ScheduleSettings::default()
        };
        let at = |decay, step| rate(&settings(decay), step);
        assert_eq!([0, 1, 3].map(|step| at(Decay::Linear, step)), [0.25, 0.5, 1.0]);
        assert_eq!(at(Decay::Linear, 6), 0.5);
        assert!((at(Decay::Cosine, 6) - 0.5).abs() < 1e-6);
        assert_eq!(at(Decay::Constant, 9), 1.0);
        assert!(at(Decay::Cosine, 9) < 1e-6 && at(Decay::Linear, 9) == 0.0);
    }
}
