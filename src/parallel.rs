//! The same work on many things, on all cores.

use std::sync::Mutex;

/// How many threads the machine, or what is left of it for this process, can run at once.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does the same to every item, on several threads if that is worth it; answers come in the items' order.
pub fn each<T: Send, R: Send>(
    items: Vec<T>,
    is_worth_it: bool,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads().min(items.len());
    if !is_worth_it || threads <= 1 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let share = |_| {
        let mut done = Vec::new();
        // The lock is held only to take the next one.
        while let Some((at, item)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
            done.push((at, work(item)));
        }
        done
    };
    let mut done: Vec<_> = shares(threads, share).into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// Runs the same on so many threads, this one among them; each is told its number.
pub fn shares<R: Send>(threads: usize, share: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let share = &share;
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|i| scope.spawn(move || share(i)))
            .collect();
        let mut done = vec![share(0)];
        for other in others {
            match other.join() {
                Ok(one) => done.push(one),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order() {
        for is_worth_it in [false, true] {
            let squares = each((0..100_u64).collect(), is_worth_it, |n| n * n);
            assert_eq!(squares, (0..100).map(|n| n * n).collect::<Vec<_>>());
            assert!(each(Vec::<u8>::new(), is_worth_it, |n| n).is_empty());
        }
    }
}
