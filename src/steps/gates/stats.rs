//! The statistics of the gates, and nothing else: pure, and asked with figures alone.

/// How sure one has to be, as a chance of being wrong: 0.001 for 99.9 percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The chance of a false alarm at one look.
    pub alpha: f64,
    /// So many standard deviations of a normal distribution leave that chance on one side.
    pub z: f64,
}

impl Level {
    /// From a confidence in percent, such as 99.9.
    pub fn of_confidence(percent: f64) -> Self {
        let alpha = (1.0 - percent / 100.0).clamp(1e-9, 0.5);
        Self { alpha, z: deviations(alpha) }
    }
}

/// A share and the bounds it lies between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

/// Between which bounds a share lies of which `hits` of `all` were seen: Wilson's score interval. Everything where
/// nothing was seen.
pub fn share(hits: u64, all: u64, level: Level) -> Bounds {
    if all == 0 {
        return Bounds { low: 0.0, high: 1.0 };
    }
    let (n, p, square) = (float(all), float(hits.min(all)) / float(all), level.z * level.z);
    let middle = p + square / (2.0 * n);
    let reach = level.z * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let whole = 1.0 + square / n;
    Bounds { low: ((middle - reach) / whole).max(0.0), high: ((middle + reach) / whole).min(1.0) }
}

/// How likely it is by chance alone that of all the errors at least `new.0` fell among the new side's requests, if
/// both sides were equally good: Fisher's exact test, one-sided. Each side is errors and requests.
pub fn chance_of_excess(new: (u64, u64), old: (u64, u64)) -> f64 {
    let (hits, mine, others) = (new.0.min(new.1), new.1, old.1);
    let errors = hits + old.0.min(others);
    let most = errors.min(mine);
    let least = errors.saturating_sub(others);
    if hits <= least {
        return 1.0;
    }
    let term = |k: u64| (ln_choose(mine, k) + ln_choose(others, errors - k) - ln_choose(mine + others, errors)).exp();
    (hits..=most).map(term).sum::<f64>().min(1.0)
}

/// Which percentiles of `n` samples hold the quantile of `percent` between them, without knowing how the values are
/// distributed: the rank of a quantile is binomial.
pub fn percentiles_around(percent: f64, n: u64, level: Level) -> Bounds {
    if n == 0 {
        return Bounds { low: 0.0, high: 100.0 };
    }
    let q = (percent / 100.0).clamp(0.0, 1.0);
    let reach = level.z * (q * (1.0 - q) / float(n)).sqrt();
    Bounds { low: ((q - reach) * 100.0).max(0.0), high: ((q + reach) * 100.0).min(100.0) }
}

/// The natural logarithm of the number of ways to choose `k` of `n`.
fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// ln n!: exact for small numbers, Stirling's series beyond, good to ten digits from 20 on.
fn ln_factorial(n: u64) -> f64 {
    if n < 20 {
        return (2..=n).map(|k| float(k).ln()).sum();
    }
    let x = float(n);
    x * x.ln() - x + (2.0 * std::f64::consts::PI * x).ln() / 2.0 + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
}

/// Beyond how many standard deviations a normal value lies with the chance `alpha` (up to a half), by Newton's method:
/// the chance is convex there, so that from 0 on every step falls short of the goal and comes closer.
fn deviations(alpha: f64) -> f64 {
    let mut x = 0.0;
    for _ in 0..60 {
        let step = (above(x) - alpha) / density(x);
        x += step;
        if step.abs() < 1e-9 {
            break;
        }
    }
    x
}

/// The chance that a normal value lies above `x` (0 to 7): the density times its series x + x³/3 + x⁵/15 + …
fn above(x: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term > 1e-18 && odd < 1000.0 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    (0.5 - density(x) * sum).max(0.0)
}

fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[allow(clippy::cast_precision_loss, reason = "counts of requests stay far below 2⁵³")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level() -> Level {
        Level::of_confidence(99.9)
    }

    #[test]
    fn known_figures_come_out() {
        for (percent, z) in [(95.0, 1.6449), (99.0, 2.3263), (99.9, 3.0902)] {
            assert!((Level::of_confidence(percent).z - z).abs() < 1e-3, "{percent}");
        }
        // Fisher's tasting of tea: all four of four cups by chance, 1 of 70.
        assert!((chance_of_excess((4, 4), (0, 4)) - 1.0 / 70.0).abs() < 1e-12);
        // 3 errors, all among 150 of 3000 requests: 150·149·148 / (3000·2999·2998).
        let by_hand = 150.0 * 149.0 * 148.0 / (3000.0 * 2999.0 * 2998.0);
        assert!((chance_of_excess((3, 150), (0, 2850)) / by_hand - 1.0).abs() < 1e-6);
        assert!((ln_factorial(20) - (2..=20_u32).map(|k| f64::from(k).ln()).sum::<f64>()).abs() < 1e-9);
        let around = percentiles_around(99.0, 1000, level());
        assert!((98.0..98.1).contains(&around.low) && (99.9..100.0).contains(&around.high), "{around:?}");
    }

    /// Two sides alike in quality, drawn over and over: how often one look calls the new side worse.
    #[test]
    fn a_new_side_as_good_as_the_old_is_hardly_ever_called_worse() {
        let alarms = (0..2000).filter(|_| {
            let draw = |n: u64| (0..n).filter(|_| rand::random_bool(0.02)).count() as u64;
            chance_of_excess((draw(200), 200), (draw(600), 600)) < level().alpha
        });
        let alarms = alarms.count();
        assert!(alarms <= 12, "{alarms} of 2000 where 2 are the most to be expected");
    }

    #[test]
    fn one_that_fails_two_percent_is_found_within_a_few_hundred_requests() {
        let found = (0..200).filter(|_| {
            let draw = |n: u64| (0..n).filter(|_| rand::random_bool(0.02)).count() as u64;
            chance_of_excess((draw(600), 600), (0, 1800)) < level().alpha
        });
        assert!(found.count() > 180);
    }

    proptest! {
        #[test]
        fn a_chance_is_a_chance_and_falls_with_every_error(
            errors in 0_u64..60, requests in 60_u64..3000, before in 0_u64..60, others in 60_u64..3000
        ) {
            let chance = chance_of_excess((errors, requests), (before, others));
            prop_assert!((0.0..=1.0).contains(&chance));
            prop_assert!(chance_of_excess((errors + 1, requests), (before, others)) <= chance + 1e-9);
            prop_assert!(chance_of_excess((errors, requests), (before + 1, others)) >= chance - 1e-9);
        }

        #[test]
        fn no_error_is_never_an_excess(requests in 0_u64..100_000, before in 0_u64..500, others in 0_u64..100_000) {
            prop_assert!(chance_of_excess((0, requests), (before, others)) >= 1.0 - 1e-9);
        }

        #[test]
        fn bounds_hold_what_was_seen_and_narrow_with_more_of_it(hits in 0_u64..500, more in 0_u64..500) {
            let all = hits + more + 1;
            let (one, tenfold) = (share(hits, all, level()), share(hits * 10, all * 10, level()));
            let seen = float(hits) / float(all);
            prop_assert!(one.low <= seen + 1e-9 && seen <= one.high + 1e-9);
            prop_assert!(tenfold.high - tenfold.low <= one.high - one.low + 1e-9);
            prop_assert!(one.low >= 0.0 && one.high <= 1.0);
        }

        #[test]
        fn percentiles_enclose_their_quantile(percent in 1.0_f64..99.9, n in 1_u64..1_000_000) {
            let around = percentiles_around(percent, n, level());
            prop_assert!(0.0 <= around.low && around.low <= percent && percent <= around.high && around.high <= 100.0);
        }
    }
}
