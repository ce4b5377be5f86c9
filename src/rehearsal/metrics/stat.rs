//! The statistics of one minute, and of several put together.

/// Buckets within one power of two: a percentile is right to 1.6 %.
const FINE: u64 = 32;

/// Buckets in all: values up to 2³³ millionths (two hours, of seconds); what is above lies in the last one.
pub(super) const BUCKETS: usize = 29 * 32;

/// The bucket of a value in millionths.
pub(super) fn bucket(millionths: u64) -> usize {
    if millionths < FINE {
        return usize::try_from(millionths).unwrap_or(0);
    }
    let shift = u64::from(millionths.ilog2() - FINE.ilog2());
    usize::try_from((shift + 1) * FINE + ((millionths >> shift) & (FINE - 1)))
        .map_or(BUCKETS - 1, |b| b.min(BUCKETS - 1))
}

/// The middle of a bucket, in units.
fn middle(bucket: u16) -> f64 {
    let bucket = u64::from(bucket);
    if bucket < FINE {
        return units(bucket);
    }
    let shift = bucket / FINE - 1;
    let low = (FINE + bucket % FINE) << shift;
    units(low) + units(1 << shift) / 2.0
}

/// Millionths as units.
#[allow(clippy::cast_precision_loss, reason = "sums of millionths stay far below 2⁵³")]
pub(super) fn units(millionths: u64) -> f64 {
    millionths as f64 / 1e6
}

/// Units as millionths; what is negative or no number is 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
pub(super) fn millionths(units: f64) -> u64 {
    (units * 1e6).round() as u64
}

/// Statistics of a period: what `CloudWatch` calls a statistic set, and a histogram for percentiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stat {
    /// How many samples (`SampleCount`).
    pub samples: u64,
    /// Their sum, in the metric's unit (`Sum`): requests, seconds, targets.
    pub sum: f64,
    /// The least (`Minimum`); meaningless without samples.
    pub min: f64,
    /// The greatest (`Maximum`); meaningless without samples.
    pub max: f64,
    /// Bucket and how many samples lie in it, by bucket. Not kept where all samples are alike.
    pub(super) histogram: Vec<(u16, u64)>,
}

impl Stat {
    /// The statistics of one sample.
    pub fn of(value: f64) -> Self {
        let histogram = u16::try_from(bucket(millionths(value))).map(|b| vec![(b, 1)]).unwrap_or_default();
        Self { samples: 1, sum: value, min: value, max: value, histogram }
    }

    /// The statistics of samples of which only these are known, as `PutMetricData` may give them: no percentiles.
    pub fn of_set(samples: u64, sum: f64, min: f64, max: f64) -> Self {
        Self { samples, sum, min, max, histogram: Vec::new() }
    }

    /// The mean (`Average`); `None` without samples.
    #[allow(clippy::cast_precision_loss, reason = "there are fewer than 2⁵³ samples")]
    pub fn average(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.sum / self.samples as f64)
    }

    /// The value `percent` (0 to 100) of the samples do not exceed (`p99` is 99), right to 1.6 %; `None` without
    /// samples, or where only sums of differing values were put in.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        if self.samples == 0 {
            return None;
        }
        // exactly alike, so that no histogram is needed
        if self.min >= self.max {
            return Some(self.max);
        }
        let known: u64 = self.histogram.iter().map(|(_, n)| n).sum();
        if known < self.samples {
            return None;
        }
        #[allow(clippy::cast_precision_loss, reason = "there are fewer than 2⁵³ samples")]
        let wanted = percent.clamp(0.0, 100.0) / 100.0 * known as f64;
        let mut seen = 0_u64;
        for (bucket, count) in &self.histogram {
            seen += count;
            #[allow(clippy::cast_precision_loss, reason = "there are fewer than 2⁵³ samples")]
            if seen as f64 >= wanted {
                return Some(middle(*bucket).clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }

    /// Puts another period's samples to these.
    pub fn merge(&mut self, other: &Self) {
        if other.samples == 0 {
            return;
        }
        if self.samples == 0 {
            self.clone_from(other);
            return;
        }
        self.alike_to_histogram(other);
        self.samples += other.samples;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for (bucket, count) in &other.histogram {
            match self.histogram.binary_search_by_key(bucket, |(b, _)| *b) {
                Ok(at) => self.histogram[at].1 += count,
                Err(at) => self.histogram.insert(at, (*bucket, *count)),
            }
        }
    }

    /// Where samples that were all alike meet others, it matters how many there were of them.
    fn alike_to_histogram(&mut self, other: &Self) {
        if self.histogram.is_empty()
            && !other.histogram.is_empty()
            && self.min >= self.max
            && let Ok(bucket) = u16::try_from(bucket(millionths(self.min)))
        {
            self.histogram = vec![(bucket, self.samples)];
        }
    }
}
