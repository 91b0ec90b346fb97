//! How long a service takes to answer, and what it does when it is asked for more than it can:
//! many clients in few threads, cheap enough to share the machine. `tools/bench/serve` runs it.
//!
//!     load ADDRESS PATH BODIES CONNECTIONS SECONDS [RATE]
//!
//! POSTs the lines of the file BODIES in turn, over connections that stay open. Without a rate each
//! connection asks again when it is answered (a closed loop). With one, requests are due at random
//! moments, so many a second (Poisson), whether or not earlier ones are answered, and the clock of
//! each starts when it is due: what waits for a connection is not forgotten.
//!
//! Prints an object of JSON. `late` tells how long after its time a request went out: the load's
//! own share of the latency.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(30);
const SEED: u64 = 20_250_101;

/// What is asked, and when.
struct Load {
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    /// When each request is due; empty in a closed loop.
    due: Vec<Duration>,
    time: Duration,
    next: AtomicUsize,
}

/// What a connection saw.
#[derive(Default)]
struct Seen {
    statuses: BTreeMap<u16, usize>,
    failed: usize,
    /// Of good answers, in milliseconds.
    took: Vec<f64>,
    late: Vec<f64>,
}

fn main() {
    // cargo adds `--bench`
    let all: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let [address, path, bodies, connections, seconds, rate @ ..] = &all[..] else {
        println!("usage: load ADDRESS PATH BODIES CONNECTIONS SECONDS [RATE]");
        return;
    };
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    let due = rate.first().map_or(Vec::new(), |rate| arrivals(rate.parse().unwrap(), time));
    let requests = std::fs::read_to_string(bodies).unwrap();
    let requests = requests.lines().map(|body| request(address, path, body)).collect();
    let address = address.parse().unwrap();
    let load = Load { address, requests, due, time, next: AtomicUsize::new(0) };
    let began = Instant::now();
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| load.client(began));
        let all: Vec<_> = (0..connections.parse().unwrap()).map(|_| one()).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    println!("{}", report(seen, began.elapsed()));
}

fn request(host: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
    (head + body).into_bytes()
}

/// Moments of a Poisson process, the same each time.
fn arrivals(rate: f64, time: Duration) -> Vec<Duration> {
    let (mut state, mut at, mut all) = (SEED, 0.0, Vec::new());
    loop {
        // splitmix64, and its upper 53 bits as a share of 1
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let share = ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        at -= (1.0 - share).ln() / rate;
        if at >= time.as_secs_f64() {
            return all;
        }
        all.push(Duration::from_secs_f64(at));
    }
}

impl Load {
    fn client(&self, began: Instant) -> Seen {
        let (mut seen, mut connection) = (Seen::default(), None);
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let due = match self.due.is_empty() {
                true if began.elapsed() < self.time => Instant::now(),
                false if at < self.due.len() => began + self.due[at],
                _ => return seen,
            };
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            seen.late.push(due.elapsed().as_secs_f64() * 1e3);
            match self.ask(&mut connection, &self.requests[at % self.requests.len()]) {
                Ok(status) => {
                    *seen.statuses.entry(status).or_default() += 1;
                    if status == 200 {
                        seen.took.push(due.elapsed().as_secs_f64() * 1e3);
                    }
                }
                Err(_) => {
                    seen.failed += 1;
                    connection = None;
                }
            }
        }
    }

    /// Sends a request and reads its answer to the end.
    fn ask(&self, connection: &mut Option<TcpStream>, request: &[u8]) -> io::Result<u16> {
        let stream = match connection {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                connection.insert(stream)
            }
        };
        stream.write_all(request)?;
        let (mut answer, mut part) = (Vec::new(), [0; 16384]);
        let mut wanted = None;
        while wanted.is_none_or(|wanted| answer.len() < wanted) {
            let got = stream.read(&mut part)?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&part[..got]);
            wanted = wanted.or_else(|| whole(&answer));
        }
        let status = answer.get(9..12).and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
        status.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// How long an answer is with its head, once that is there.
fn whole(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|it| it == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some(head + 4 + length.trim().parse::<usize>().ok()?)
}

fn report(seen: Vec<Seen>, took: Duration) -> String {
    let mut all = Seen::default();
    for one in seen {
        for (status, count) in one.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
        all.failed += one.failed;
        all.took.extend(one.took);
        all.late.extend(one.late);
    }
    let statuses: Vec<String> =
        all.statuses.iter().map(|(status, count)| format!("\"{status}\":{count}")).collect();
    let of = |values: &mut Vec<f64>, share: f64| {
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1) as f64;
        values.get((last * share).round() as usize).copied().unwrap_or(0.0)
    };
    let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| of(&mut all.took, share));
    format!(
        "{{\"seconds\":{:.3},\"statuses\":{{{}}},\"failed\":{},\"p50\":{p50:.3},\"p99\":{p99:.3},\
         \"max\":{most:.3},\"late\":{:.3}}}",
        took.as_secs_f64(),
        statuses.join(","),
        all.failed,
        of(&mut all.late, 0.99)
    )
}
