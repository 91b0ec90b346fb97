//! A partition finds what an exhaustive search over all centroids finds, always or nearly always.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::*;

/// Even numbers between -1 and 1.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0).collect()
}

/// Rows around centres that are clustered themselves, as the tokens of a language are.
fn clustered(rows: usize, dim: usize, seed: u64) -> Vec<f32> {
    let (far, near) = (noise(40 * dim, seed), noise(400 * dim, seed + 1));
    let own = noise(rows * dim, seed + 2);
    let value = |(at, own): (usize, &f32)| {
        let (row, place) = (at / dim, at % dim);
        far[row * 7 % 40 * dim + place] + 0.5 * near[row * 31 % 400 * dim + place] + 0.5 * own
    };
    own.iter().enumerate().map(value).collect()
}

fn distance(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// How far the nearest of all centroids is.
fn least_distance(partition: &Partition, view: &[f32]) -> f32 {
    let lists = 0..partition.lists();
    lists.map(|list| distance(partition.centroid(list), view)).fold(f32::INFINITY, f32::min)
}

fn assigned(partition: &Partition, views: &[f32]) -> Vec<u32> {
    let mut lists = vec![0; views.len() / partition.lists.dim()];
    partition.assign(views, &mut lists);
    lists
}

fn longest(partition: &Partition, views: &[f32]) -> f64 {
    let mut sizes = vec![0; partition.lists()];
    assigned(partition, views).iter().for_each(|&list| sizes[list as usize] += 1);
    let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
    *sizes.iter().max().unwrap() as f64 / mean
}

/// Lists of random centroids, as many for each group.
fn made_up(dim: usize, groups: usize, each: usize, seed: u64) -> Partition {
    let centres = noise(groups * dim, seed);
    let values: Vec<f32> = noise(groups * each * dim, seed + 1)
        .iter()
        .enumerate()
        .map(|(at, own)| centres[at / (each * dim) * dim + at % dim] + 0.3 * own)
        .collect();
    let starts = (0..=groups).map(|group| (group * each) as u32).collect();
    let radii = noise(groups * each, seed + 2).iter().map(|value| value.abs()).collect();
    let (groups, lists) = (Points::rounded(dim, centres), Points::rounded(dim, values));
    Partition { groups, starts, lists, radii }
}

fn nearest(partition: &Partition, view: &[f32]) -> u32 {
    let mut list = [0];
    partition.assign(view, &mut list);
    list[0]
}

fn train(dim: usize, sample: &[f32], lists: usize, seed: u64) -> Partition {
    Partition::train(dim, sample, lists, seed, &AtomicBool::new(false))
}

#[test]
fn defect_a7_a_training_that_is_stopped_ends_at_once() {
    let sample = clustered(4_000, 16, 7);
    let stopped = Partition::train(16, &sample, 400, 1, &AtomicBool::new(true));
    assert!(stopped.lists() <= 20, "{} lists", stopped.lists());
    assert!(train(16, &sample, 400, 1).lists() > 300);
}

#[test]
fn clusters_made_by_hand_are_found() {
    // three corners, rows half a step around each
    let corners = [[8.0, 0.0], [0.0, 8.0], [-8.0, -8.0]];
    let around = [[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]];
    let rows = around.iter().flat_map(|step| corners.map(|at| [at[0] + step[0], at[1] + step[1]]));
    let sample: Vec<f32> = rows.flatten().collect();
    let partition = train(2, &sample, 3, 5);
    assert_eq!(partition.lists(), 3);
    for corner in corners {
        let list = nearest(&partition, &[corner[0] + 1.0, corner[1] - 1.0]);
        assert_eq!(partition.centroid(list as usize), corner);
    }
}

#[test]
fn a_radius_is_the_spread_in_one_direction() {
    // squares of distances are 4 * 0.25 each, 12 rows; so 1 and a row's mean, by 4 rows of 2 values
    let corners = [[8.0, 0.0], [0.0, 8.0], [-8.0, -8.0]];
    let around = [[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]];
    let rows = around.iter().flat_map(|step| corners.map(|at| [at[0] + step[0], at[1] + step[1]]));
    let sample: Vec<f32> = rows.flatten().collect();
    let partition = train(2, &sample, 3, 5);
    (0..3).for_each(|list| assert_eq!(partition.radius(list), (1.25_f32 / 8.0).sqrt()));
    // all rows are identical: nothing is known about others
    assert_eq!(train(2, &[3.0, 4.0, 3.0, 4.0], 2, 5).radius(0), 0.0);
}

#[test]
fn one_list_is_the_mean() {
    let partition = train(2, &[1.0, 2.0, 3.0, -4.0, 2.0, 8.0], 1, 0);
    assert_eq!((partition.lists(), partition.centroid(0)), (1, &[2.0, 2.0][..]));
}

#[test]
fn there_are_no_more_lists_than_distinct_rows() {
    let rows = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let partition = train(2, &rows, 100, 3);
    let mut centroids: Vec<_> = (0..partition.lists()).map(|at| partition.centroid(at)).collect();
    centroids.sort_by(|one, other| one.partial_cmp(other).unwrap());
    assert_eq!(centroids, [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
    let nothing = train(2, &[], 100, 3);
    assert_eq!((nothing.lists(), nothing.centroid(0)), (1, &[0.0, 0.0][..]));
}

#[test]
fn many_rows_that_are_the_same_are_one_list_and_leave_room_for_others() {
    let same = noise(8, 1);
    let mut sample = clustered(400, 8, 2);
    (0..3_600).for_each(|_| sample.extend_from_slice(&same));
    let partition = train(8, &sample, 64, 4);
    assert!(partition.lists() > 12, "{} lists", partition.lists());
    let lists = assigned(&partition, &sample);
    assert!(lists[400..].iter().all(|&list| list == lists[400]));
    assert_eq!(train(8, &same.repeat(5_000), 64, 4).lists(), 1);
}

#[test]
fn a_seed_gives_one_partition_whatever_the_threads() {
    let sample = clustered(2_000, 16, 7);
    let trained = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train(16, &sample, 100, seed).to_bytes())
    };
    let alone = trained(1, 11);
    assert!(alone == trained(3, 11), "another partition with three threads");
    assert!(alone != trained(3, 12), "the seed changes nothing");
}

#[test]
fn the_nearest_of_all_is_found_for_nearly_every_view() {
    let sample = clustered(4_000, 16, 20);
    let partition = train(16, &sample, 400, 1);
    assert!(partition.starts.len() > PROBED + 5, "too few groups to miss one");
    let lists = assigned(&partition, &sample);
    let mut right = 0;
    for (view, &list) in sample.chunks_exact(16).zip(&lists) {
        assert_eq!(nearest(&partition, view), list);
        let found = distance(partition.centroid(list as usize), view);
        right += usize::from(found <= least_distance(&partition, view) * 1.0001);
    }
    // 4,000 of 4,000 when it was written
    assert!(right * 100 >= lists.len() * 95, "{right} of {}", lists.len());
}

#[test]
fn no_list_is_much_longer_than_the_mean() {
    let sample = clustered(4_000, 16, 30);
    let partition = train(16, &sample, 300, 1);
    assert!(partition.lists() > 290, "{} lists", partition.lists());
    assert!(longest(&partition, &sample) < 8.0, "{}", longest(&partition, &sample));
    // two thirds of the rows are so near to each other that they look like one cluster
    let mut crowded = clustered(1_000, 16, 31);
    crowded.extend(noise(2_000 * 16, 32).iter().map(|value| 3.0 + 0.03 * value));
    let partition = train(16, &crowded, 200, 1);
    assert!(longest(&partition, &crowded) < 20.0, "{}", longest(&partition, &crowded));
}

#[test]
fn lists_lie_in_about_as_many_groups_as_each_has_lists() {
    let partition = train(8, &clustered(2_000, 8, 40), 256, 1);
    assert!((14..=16).contains(&(partition.starts.len() - 1)), "{:?}", partition.starts);
}

#[test]
fn large_and_small_values_have_a_nearest_centroid_too() {
    // squares of 65,504 and of 0.0001 are no halves
    for scale in [65_504.0, 1e-4] {
        let sample = [1.0, 1.0, 1.0, -1.0, -1.0, 0.0].map(|value| value * scale);
        let partition = train(2, &sample, 3, 1);
        for view in sample.chunks_exact(2) {
            let list = nearest(&partition, view) as usize;
            assert!(distance(partition.centroid(list), view) < scale * scale * 1e-6);
        }
    }
    let partition = train(2, &[9e9, -9e9], 1, 1);
    assert_eq!(partition.centroid(0), [65_504.0, -65_504.0]);
    assert_eq!(nearest(&partition, &[f32::NAN, 0.0]), 0);
}

/// A probe by sorting all lists.
fn plain_probe(partition: &Partition, wanted: ProbeRequest<'_>) -> Vec<(f32, u32)> {
    let (mut wide, ProbeRequest { query, reach, count }) = (Vec::new(), wanted);
    partition.lists.widen_query(query, &mut wide);
    let mut products = Vec::new();
    partition.lists.products(0..partition.lists(), &wide, &mut products);
    let worth = |(product, list)| (product + reach * partition.radius(list as usize), list);
    let mut all: Vec<(f32, u32)> = products.into_iter().zip(0..).map(worth).collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    all.truncate(count);
    all
}

#[test]
fn the_bytes_of_a_small_partition_by_hand() {
    let lists = Points::new(2, vec![1.0, -2.0, 0.5, 0.0, 0.0, 65_504.0]);
    let groups = Points::new(2, vec![0.75, -1.0, 0.0, 65_504.0]);
    let radii = vec![0.0, 0.5, 2.0];
    let partition = Partition { groups, starts: vec![0, 2, 3], lists, radii };
    let bytes = partition.to_bytes();
    let numbers = [2, 2, 3, 0, 2, 3].map(u32::to_le_bytes);
    assert_eq!(bytes[..24], *numbers.as_flattened());
    assert_eq!(bytes[24..36], *[0.0_f32, 0.5, 2.0].map(f32::to_le_bytes).as_flattened());
    // 0.75 is 0x3a00 in f16, -1 is 0xbc00, the largest 0x7bff
    assert_eq!(bytes[36..44], [0x00, 0x3a, 0x00, 0xbc, 0x00, 0x00, 0xff, 0x7b]);
    // 1 is 0x3c00, -2 is 0xc000, a half 0x3800
    assert_eq!(bytes[44..52], [0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38, 0x00, 0x00]);
    assert_eq!(bytes[52..], [0x00, 0x00, 0xff, 0x7b]);
    assert_eq!(Partition::from_bytes(2, &bytes), Some(partition));
    assert_eq!(Partition::from_bytes(1, &bytes), None);
}

#[test]
fn bytes_that_say_something_impossible_are_none() {
    let bytes = made_up(2, 2, 2, 60).to_bytes();
    let with = |at: usize, value: [u8; 4]| {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&value);
        Partition::from_bytes(2, &bytes)
    };
    assert!(Partition::from_bytes(2, &bytes).is_some());
    assert_eq!(with(4, u32::MAX.to_le_bytes()), None, "as many groups as there can be");
    assert_eq!(with(12, 1_u32.to_le_bytes()), None, "the first group begins at list 1");
    assert_eq!(with(16, 0_u32.to_le_bytes()), None, "a group without lists");
    assert_eq!(with(16, 4_u32.to_le_bytes()), None, "a group behind the end");
    assert_eq!(with(20, 3_u32.to_le_bytes()), None, "the last group ends too early");
    assert_eq!(with(24, (-1.0_f32).to_le_bytes()), None, "a radius below 0");
    assert_eq!(with(36, f32::NAN.to_le_bytes()), None, "a radius that is no number");
    assert_eq!(with(40, [0x00, 0x7c, 0, 0]), None, "infinity");
    assert_eq!(with(60, [0, 0, 0x01, 0xfe]), None, "no number");
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(Partition::from_bytes(2, &longer), None);
    assert_eq!(Partition::from_bytes(0, &[0; 16]), None);
}

#[test]
fn every_truncation_is_none() {
    let bytes = made_up(8, 3, 2, 61).to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(Partition::from_bytes(8, &bytes[..length]), None, "{length} bytes");
    }
}

proptest! {
    #[test]
    fn flips_give_no_partition_or_one_that_works(
        flips in prop::collection::vec((0..10_000_usize, 0..8_u32), 1..5),
    ) {
        let mut bytes = made_up(8, 3, 2, 62).to_bytes();
        for (at, bit) in flips {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
        }
        if let Some(partition) = Partition::from_bytes(8, &bytes) {
            let (mut scratch, mut found) = (Scratch::default(), Vec::new());
            let list = nearest(&partition, &[0.5; 8]);
            prop_assert!((list as usize) < partition.lists());
            let wanted = ProbeRequest { query: &[-1.0; 8], reach: 1.0, count: 4 };
            partition.probe(wanted, &mut scratch, &mut found);
            prop_assert_eq!(found.len(), 4);
        }
    }

    #[test]
    fn probing_is_sorting_all_lists(
        groups in 1..5_usize, each in 1..30_usize, count in 0..150_usize, seed in any::<u32>(),
        reach in 0.0..2.0_f32,
    ) {
        let partition = made_up(8, groups, each, u64::from(seed));
        let query = noise(8, u64::from(seed) + 9);
        let wanted = ProbeRequest { query: &query, reach, count };
        let mut found = vec![(0.0, 7)];
        partition.probe(wanted, &mut Scratch::default(), &mut found);
        prop_assert_eq!(found, plain_probe(&partition, wanted));
    }

    #[test]
    fn the_best_are_those_of_sorting(
        scores in prop::collection::vec(-3..4_i8, 0..200), count in 0..50_usize,
    ) {
        let scores: Vec<f32> = scores.iter().map(|&score| f32::from(score) / 2.0).collect();
        let mut found = Vec::new();
        probe::best(&scores, count, &mut found);
        found.sort_by_key(|&(_, place)| place);
        let mut all: Vec<(f32, u32)> = scores.into_iter().zip(0..).collect();
        all.sort_by(|one, other| other.0.total_cmp(&one.0));
        all.truncate(count);
        all.sort_by_key(|&(_, place)| place);
        prop_assert_eq!(found, all);
    }

    #[test]
    fn a_partition_read_again_is_the_same(
        rows in prop::collection::vec(-2.0..2.0_f32, 0..400), lists in 0..40_usize,
    ) {
        let rows = &rows[..rows.len() / 8 * 8];
        let partition = train(8, rows, lists, 3);
        prop_assert!(partition.lists() <= lists.clamp(1, (rows.len() / 8).max(1)));
        prop_assert_eq!(Partition::from_bytes(8, &partition.to_bytes()), Some(partition));
    }
}
