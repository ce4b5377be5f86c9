use super::*;

fn dimensions() -> BTreeMap<String, String> {
    BTreeMap::from([("LoadBalancer".to_owned(), "app/shop/1".to_owned())])
}

fn id(metric: &str) -> Id {
    Id::new(APPLICATION_ELB, metric, [("LoadBalancer", "app/shop/1")])
}

fn all(metrics: &Metrics, metric: &str) -> Vec<(SystemTime, Stat)> {
    let later = metrics.clock.now() + Duration::from_hours(1);
    metrics.series(APPLICATION_ELB, metric, &dimensions(), UNIX_EPOCH, later)
}

#[test]
fn what_was_just_counted_is_read_and_stays_in_its_minute_when_the_clock_is_moved() {
    let clock = Clock::default();
    let metrics = Metrics::new(clock.clone());
    let requests = metrics.of(id("RequestCount"), Kind::Ones);
    assert_eq!((all(&metrics, "RequestCount"), metrics.list()), (vec![], vec![]), "no data is not zero");
    let first = metrics.minute();
    for _ in 0..3 {
        requests.count(first);
    }
    assert_eq!(all(&metrics, "RequestCount")[0].1.samples, 3);
    requests.count(first);
    clock.advance(Duration::from_hours(2));
    let second = metrics.minute();
    requests.count(second);
    let read = all(&metrics, "RequestCount");
    let counted: Vec<_> = read.iter().map(|(at, stat)| (*at, stat.samples, stat.sum)).collect();
    assert_eq!(counted, [(start_of(first), 4, 4.0), (start_of(second), 1, 1.0)]);
    assert_eq!((read[0].1.min, read[0].1.max, read[0].1.average()), (1.0, 1.0, Some(1.0)));
    assert_eq!(metrics.list(), [id("RequestCount")]);
    assert!(all(&metrics, "HTTPCode_ELB_5XX_Count").is_empty());
}

#[test]
fn a_minute_belongs_to_the_period_its_start_lies_in() {
    let metrics = Metrics::new(Clock::default());
    let requests = metrics.of(id("RequestCount"), Kind::Ones);
    for minute in 100..110 {
        requests.count(minute);
    }
    let counted = |from: f64, to: f64| {
        let at = |minutes: f64| UNIX_EPOCH + Duration::from_secs_f64(minutes * 60.0);
        metrics.series(APPLICATION_ELB, "RequestCount", &dimensions(), at(from), at(to)).len()
    };
    assert_eq!(
        [counted(100.0, 110.0), counted(101.0, 103.0), counted(100.5, 102.0), counted(100.5, 102.1)],
        [10, 2, 1, 2]
    );
}

#[test]
fn percentiles_are_right_to_two_in_a_hundred_over_minutes_put_together() {
    let metrics = Metrics::new(Clock::default());
    let times = metrics.of(id("TargetResponseTime"), Kind::Values);
    for micros in 1..=100_000_u64 {
        times.observe(100 + micros % 3, micros);
    }
    let mut whole = Stat::default();
    for (_, stat) in all(&metrics, "TargetResponseTime") {
        whole.merge(&stat);
    }
    assert_eq!((whole.samples, whole.min, whole.max), (100_000, 0.000_001, 0.1));
    for (percent, expected) in [(1.0, 0.001), (50.0, 0.05), (90.0, 0.09), (99.0, 0.099), (100.0, 0.1)] {
        let found = whole.percentile(percent).unwrap();
        assert!((found / expected - 1.0).abs() < 0.02, "p{percent} is {found} and not {expected}");
    }
    assert!((whole.average().unwrap() - 0.05).abs() < 0.000_1);
    assert_eq!(Stat::default().percentile(50.0), None);
}

#[test]
fn memory_is_bounded_by_minutes_that_have_data() {
    let metrics = Metrics::new(Clock::default());
    let requests = metrics.of(id("RequestCount"), Kind::Ones);
    for minute in 0..5000 {
        requests.count(minute * 7);
    }
    let read = all(&metrics, "RequestCount");
    assert_eq!((read.len(), read.last().unwrap().0), (720, start_of(4999 * 7)));
}

#[test]
fn writers_on_many_threads_lose_nothing_while_it_is_read() {
    let metrics = Metrics::new(Clock::default());
    let (ones, values) =
        (metrics.of(id("RequestCount"), Kind::Ones), metrics.of(id("TargetResponseTime"), Kind::Values));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..20_000_u64 {
                    ones.count(n / 1000);
                    values.observe(n / 1000, 7);
                }
            });
        }
        for _ in 0..50 {
            all(&metrics, "TargetResponseTime");
        }
    });
    let total = |metric: &str| all(&metrics, metric).iter().map(|(_, stat)| stat.samples).sum::<u64>();
    assert_eq!((total("RequestCount"), total("TargetResponseTime")), (80_000, 80_000));
}

#[test]
fn what_others_measured_can_be_put_in() {
    let metrics = Metrics::new(Clock::default());
    let at = metrics.clock.now();
    for value in [2.0, 4.0] {
        metrics.put(id("Queue"), at, &Stat::of(value));
    }
    let read = all(&metrics, "Queue");
    assert_eq!((read[0].1.samples, read[0].1.sum, read[0].1.min, read[0].1.max), (2, 6.0, 2.0, 4.0));
    // sums alone say nothing of percentiles
    metrics.put(id("Queue"), at, &Stat::of_set(9, 90.0, 1.0, 20.0));
    assert_eq!(all(&metrics, "Queue")[0].1.percentile(50.0), None);
}
