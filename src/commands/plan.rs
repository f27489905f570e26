//! `loadgate plan`: the order in which to run two versions, so that a drift of the machine falls on both alike.

use std::fmt::Write as _;
use std::io::Write;

use super::{Failure, say};
use crate::cli::project::Plan;

/// Prints the order and the command that compares afterwards; the answer is the exit code.
pub fn run(args: &Plan, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let runs = usize::from(args.runs);
    let order: Vec<String> = order(runs).iter().map(char::to_string).collect();
    let mut text = format!(
        "{}\n\n\
         A is the version before, B the one after. Run them in this order, one right after the other: what the\n\
         machine does over time (warms up, slows down, gets neighbours) then falls on both sides alike.\n\
         Keep each run in a folder of its own: a1, b1, b2, a2, …\n\n  \
         loadgate compare a1 b1",
        order.join(" ")
    );
    for n in 2..=runs {
        let _ = write!(text, " --baseline a{n}");
    }
    for n in 2..=runs {
        let _ = write!(text, " --replicate b{n}");
    }
    text.push('\n');
    say(stdout, &text)?;
    Ok(0)
}

/// A B, B A, A B, …: each pair turns the one before around, so that a steady drift cancels over two pairs.
fn order(runs: usize) -> Vec<char> {
    let pairs = (0..runs).map(|pair| {
        if pair % 2 == 0 {
            ['A', 'B']
        } else {
            ['B', 'A']
        }
    });
    pairs.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_falls_on_both_sides_alike() {
        assert_eq!(order(5).iter().collect::<String>(), "ABBAABBAAB");
        for runs in 1..=50 {
            // A machine that slows down by 1 with every run.
            let sum = |version| -> usize {
                let order = order(runs).into_iter().enumerate();
                order.filter(|(_, v)| *v == version).map(|(at, _)| at).sum()
            };
            assert_eq!(sum('B') - sum('A'), runs % 2, "{runs} runs a side");
        }
    }
}
