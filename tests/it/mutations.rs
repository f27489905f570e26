//! Mutated runs turn no gate green without a cause: each operator once, on a real run that has what it mutates.
//!
//! `LOADGATE_MUTATIONS=N cargo test --test it mutations` tries every operator on every run N times;
//! `cargo run --release --example mutations -- FOLDER…` does so with other runs, and survives aborts.

use std::collections::BTreeSet;
use std::sync::Mutex;

#[path = "../../examples/mutations/campaign.rs"]
mod campaign;

use campaign::judge::Scratch;
use campaign::{Campaign, Mutant, mutants, operators, subject};

/// Small runs of old and new versions of Locust, with two styles of request logs.
const RUNS: [&str; 2] = [
    "testdata/locust/2.47.0/style_b",
    "testdata/locust/2.32.10/no_full_history",
];

/// Logs are thinned to so many lines.
const LINES: usize = 300;

#[test]
fn there_are_many_ways_to_mutate_each_with_a_name_of_its_own() {
    let all = operators::all();
    let names: BTreeSet<&str> = all.iter().map(|operator| operator.name).collect();
    assert_eq!(names.len(), all.len());
    assert!(names.len() >= 100, "{}", names.len());
}

#[test]
fn no_mutant_turns_a_gate_green_without_a_cause() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::below(folder.path(), "subjects").unwrap();
    // By the same names on every machine, as chance is drawn from them; tests run in the repository's root.
    let runs = RUNS.map(str::to_owned);
    let subjects = subject::find(&runs, LINES, &scratch).unwrap();
    let kinds: BTreeSet<subject::Kind> = subjects.iter().map(|s| s.kind).collect();
    assert_eq!(kinds.len(), 6, "a run of every kind: {kinds:?}");
    let operators = operators::all();
    let asked = std::env::var("LOADGATE_MUTATIONS");
    let asked: Option<u64> = asked.ok().map(|n| n.parse().unwrap());
    let mut all = mutants(&subjects, &operators, 0..asked.unwrap_or(1));
    if asked.is_none() {
        all = once_each(&all, &operators);
    }
    let (next, campaign) = (Mutex::new(0..all.len()), Mutex::new(Campaign::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..threads {
            let (all, next, campaign) = (&all, &next, &campaign);
            let scratch = Scratch::below(folder.path(), &format!("worker-{worker}")).unwrap();
            scope.spawn(move || {
                loop {
                    let Some(i) = next.lock().unwrap().next() else {
                        return;
                    };
                    if let Some(tried) = all[i].try_it(&scratch).unwrap() {
                        campaign.lock().unwrap().count(&all[i], &tried);
                    }
                }
            });
        }
    });
    let campaign = campaign.into_inner().unwrap();
    let total = campaign.total();
    assert!(
        campaign.faults.is_empty(),
        "{total:?}\ncargo run --example mutations -- {} …\n{}",
        RUNS.join(" "),
        campaign.faults.join("\n")
    );
    // A campaign that tries little, or in which everything is refused, would find nothing.
    assert!(total.tried as usize > operators.len() * 3 / 4, "{total:?}");
    assert!(total.red > total.tried / 5, "{total:?}");
}

/// Each operator on one run: not on the same for all.
fn once_each<'a>(all: &[Mutant<'a>], operators: &'a [operators::Operator]) -> Vec<Mutant<'a>> {
    let mut chosen = Vec::new();
    for (i, operator) in operators.iter().enumerate() {
        let of: Vec<&Mutant<'a>> = all
            .iter()
            .filter(|mutant| mutant.operator.name == operator.name)
            .collect();
        let from = i % of.len().max(1);
        let turned = of.iter().cycle().skip(from).take(of.len());
        let first = turned.copied().find(|mutant| mutant.files().is_some());
        chosen.extend(first.copied());
    }
    chosen
}
