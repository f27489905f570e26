//! Blocks on their way from the thread that decodes them to those that count them.
//!
//! Two readers keep up with most decoders. The others only help when blocks pile up: each reader counts what the others do
//! not, all over the run's time, so that more of them need more memory and leave more to be merged.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::blocks::Block;

/// Readers that take whatever there is.
const EAGER: usize = 2;
/// The others help when this part of the room is full: early enough that the decoder need not wait.
const PILE: usize = 4;

/// Blocks in order, and buffers to decode the next ones into.
pub struct Queue {
    state: Mutex<State>,
    /// Blocks that may wait.
    most: usize,
    filled: Condvar,
    /// So many wait that the other readers are needed.
    piled_up: Condvar,
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<io::Result<Block>>,
    /// Fresh memory costs more than copying into memory that was used.
    used: Vec<Vec<u8>>,
    has_ended: bool,
}

impl Queue {
    /// A queue in which so many blocks may wait.
    pub fn new(most: usize) -> Self {
        Self {
            state: Mutex::default(),
            most,
            filled: Condvar::new(),
            piled_up: Condvar::new(),
            emptied: Condvar::new(),
        }
    }

    /// The state; a reader that panicked left it whole, and its panic is passed on when the threads are joined.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many waiting blocks are a pile.
    fn pile(&self) -> usize {
        self.most.div_ceil(PILE)
    }

    /// So many blocks have to wait before a reader takes one.
    fn needed(&self, reader: usize) -> usize {
        if reader < EAGER { 1 } else { self.pile() }
    }

    /// A buffer that is not needed any more, or a new one.
    pub fn used(&self) -> Vec<u8> {
        self.state().used.pop().unwrap_or_default()
    }

    /// Puts a block at the end, when there is room for it; `false` if nobody takes it any more.
    pub fn put(&self, block: io::Result<Block>) -> bool {
        let has_no_room = |state: &mut State| state.waiting.len() >= self.most && !state.has_ended;
        let state = self.emptied.wait_while(self.state(), has_no_room);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if state.has_ended {
            return false;
        }
        state.waiting.push_back(block);
        let is_pile = state.waiting.len() >= self.pile();
        drop(state);
        self.filled.notify_one();
        if is_pile {
            self.piled_up.notify_one();
        }
        true
    }

    /// Says that no block will follow.
    pub fn end(&self) {
        self.state().has_ended = true;
        self.filled.notify_all();
        self.piled_up.notify_all();
        self.emptied.notify_all();
    }

    /// Ends the queue when it is dropped, also by a panic, so that nobody waits for ever.
    pub fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    /// The next block for one of the readers, which gives back the buffer it has; `None` at the end.
    pub fn next(&self, reader: usize, used: Vec<u8>) -> Option<io::Result<Block>> {
        let needed = self.needed(reader);
        let ready = if needed > 1 {
            &self.piled_up
        } else {
            &self.filled
        };
        let mut state = self.state();
        if used.capacity() > 0 {
            state.used.push(used);
        }
        let has_to_wait = |state: &mut State| state.waiting.len() < needed && !state.has_ended;
        let state = ready.wait_while(state, has_to_wait);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let next = state.waiting.pop_front();
        drop(state);
        self.emptied.notify_one();
        next
    }
}

/// See [`Queue::ending`].
pub struct Ending<'q>(&'q Queue);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(queue: &Queue, index: u64) -> bool {
        queue.put(Ok(Block {
            index,
            ..Block::default()
        }))
    }

    #[test]
    fn a_third_reader_helps_when_blocks_pile_up_and_at_the_end() {
        let queue = Queue::new(2 * PILE);
        assert_eq!((queue.needed(0), queue.needed(EAGER)), (1, 2));
        assert!(put(&queue, 0) && put(&queue, 1));
        let index = |next: Option<io::Result<Block>>| next.map(|b| b.expect("no error").index);
        assert_eq!(index(queue.next(2, Vec::new())), Some(0));
        std::thread::scope(|scope| {
            // One waits: not enough for the third reader, which gets it only when no other follows.
            let helper = scope.spawn(|| index(queue.next(2, Vec::new())));
            queue.end();
            assert_eq!(helper.join().expect("no panic"), Some(1));
        });
        assert!(queue.next(0, Vec::new()).is_none());
    }

    #[test]
    fn nobody_waits_for_readers_that_are_gone() {
        let queue = Queue::new(1);
        assert!(put(&queue, 0));
        std::thread::scope(|scope| {
            let decoder = scope.spawn(|| put(&queue, 1));
            drop(queue.ending());
            assert!(!decoder.join().expect("no panic"));
        });
    }

    #[test]
    fn buffers_go_round() {
        let queue = Queue::new(1);
        assert_eq!(queue.used().capacity(), 0);
        assert!(put(&queue, 0));
        assert!(queue.next(0, vec![1; 10]).is_some());
        assert_eq!(queue.used().len(), 10);
    }
}
