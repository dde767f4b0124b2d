//! How long each piece of work takes: `cargo bench --bench micro`, or with the beginning of a name.

mod work;

use std::time::Duration;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for work in work::all() {
        // Prepared when it is measured, and once.
        let mut run = None;
        criterion.bench_function(&work.name, |bencher| bencher.iter(run.get_or_insert_with(|| (work.prepare)())));
    }
    criterion.final_summary();
}
