//! Pages of 64 counters, each page only as wide as its largest count needs.
//!
//! A page starts as up to four slots inside its own 32 bits, and then has counters of 2, 4, 8, 16 or 32 bits, packed into
//! words. Most counts of a run are small: narrow pages are what keeps them in the processor's caches.

/// Counters in a page.
pub const SLOTS: usize = 64;
/// Widths of counters, as powers of two: 2 to 32 bits.
const WIDTHS: usize = 5;
/// Words of the widest page.
const MOST_WORDS: usize = 1 << WIDTHS;
/// The width is in the upper three bits, 0 for slots held by the page itself.
const WIDTH_AT: u32 = 29;
/// Slots that a page holds by itself: their number in bits 24 to 26, six bits each below.
const FEW: u32 = 4;
const FEW_AT: u32 = 24;
const SLOT_BITS: u32 = 6;

/// What there is of a page: nothing, a few slots, or where its counters are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page(u32);

impl Page {
    /// Whether nothing was counted.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Logarithm of the counters' bits; 0 for a page that holds its slots itself.
    #[inline]
    fn width(self) -> u32 {
        self.0 >> WIDTH_AT
    }

    /// Where its words begin, in words of its width's pool.
    #[inline]
    fn begin(self) -> usize {
        ((self.0 & !(7 << WIDTH_AT)) as usize) << self.width()
    }

    fn few(self) -> u32 {
        self.0 >> FEW_AT
    }

    /// Whether it holds its slots itself.
    pub fn is_small(self) -> bool {
        self.width() == 0
    }

    /// The slots that it holds itself, in the order they came.
    pub fn slots(self) -> impl Iterator<Item = usize> {
        (0..self.few()).map(move |i| (self.0 >> (i * SLOT_BITS)) as usize & (SLOTS - 1))
    }
}

/// All ones in the lowest counter of a word.
#[inline]
fn lowest(width: u32) -> u64 {
    u64::MAX >> (64 - (1 << width))
}

/// The counters of many pages.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    pools: [Vec<u64>; WIDTHS],
    /// Places of pages that became wider.
    free: [Vec<u32>; WIDTHS],
}

impl Pages {
    /// Adds to a counter; `false` if it has no room for the sum.
    #[inline]
    pub fn add(&mut self, page: Page, slot: usize, n: u64) -> bool {
        let width = page.width();
        let Some(pool) = self.pools.get_mut((width as usize).wrapping_sub(1)) else {
            return false;
        };
        let bit = slot << width;
        let word = &mut pool[page.begin() + bit / 64];
        let count = *word >> (bit % 64) & lowest(width);
        let fits = n <= lowest(width) - count;
        if fits {
            *word += n << (bit % 64);
        }
        fits
    }

    /// Adds to a counter of the widest page what fits its 32 bits; the rest is returned in multiples of 2^32.
    pub fn add_widest(&mut self, page: Page, slot: usize, n: u64) -> u64 {
        let count = self.counts(page)[slot];
        let sum = count + n;
        let word = &mut self.pools[WIDTHS - 1][page.begin() + slot / 2];
        let shift = slot % 2 * 32;
        *word = *word & !(lowest(5) << shift) | (sum & lowest(5)) << shift;
        sum >> 32
    }

    /// The page with one more slot, if it holds its slots itself and has room.
    pub fn with_slot(page: Page, slot: usize) -> Option<Page> {
        let has_room = page.width() == 0 && page.few() < FEW;
        has_room.then(|| Page((page.0 + (1 << FEW_AT)) | (slot as u32) << (page.few() * SLOT_BITS)))
    }

    /// The same counts with more room; `None` if it is the widest.
    pub fn wider(&mut self, page: Page) -> Option<Page> {
        if page.width() as usize == WIDTHS {
            return None;
        }
        let (mut words, mut width) = self.copied(page);
        if page.width() > 0 {
            widen(&mut words, width);
            width += 1;
            self.free[page.width() as usize - 1].push(page.0 & !(7 << WIDTH_AT));
        }
        Some(self.put(width, &words))
    }

    /// The page's counters, and their width.
    fn copied(&self, page: Page) -> ([u64; MOST_WORDS], u32) {
        let mut words = [0; MOST_WORDS];
        if page.is_small() {
            let first = page.slots().next();
            // Two bits are enough but for four of one slot.
            let is_one = page.few() == FEW && page.slots().all(|slot| Some(slot) == first);
            let width = if is_one { 2 } else { 1 };
            for slot in page.slots() {
                let bit = slot << width;
                words[bit / 64] += 1 << (bit % 64);
            }
            return (words, width);
        }
        words[..1 << page.width()].copy_from_slice(self.words(page));
        (words, page.width())
    }

    fn words(&self, page: Page) -> &[u64] {
        &self.pools[page.width() as usize - 1][page.begin()..][..1 << page.width()]
    }

    fn put(&mut self, width: u32, words: &[u64; MOST_WORDS]) -> Page {
        let (pool, words) = (&mut self.pools[width as usize - 1], &words[..1 << width]);
        if let Some(free) = self.free[width as usize - 1].pop() {
            pool[(free as usize) << width..][..words.len()].copy_from_slice(words);
            return Page(width << WIDTH_AT | free);
        }
        pool.extend_from_slice(words);
        Page(width << WIDTH_AT | ((pool.len() >> width) as u32 - 1))
    }

    /// Adds another's page to a page that is not empty; the sum of the widest may not fit, and nothing is added then.
    pub fn merge(&mut self, mut ours: Page, other: &Self, theirs: Page) -> Option<Page> {
        let (mut words, mut width) = other.copied(theirs);
        while ours.width() < width {
            ours = self.wider(ours)?;
        }
        loop {
            while width < ours.width() {
                widen(&mut words, width);
                width += 1;
            }
            let at = ours.begin();
            let sums = &mut self.pools[width as usize - 1][at..at + (1 << width)];
            if sums
                .iter()
                .zip(&words)
                .all(|(a, b)| sum(*a, *b, width).is_some())
            {
                for (a, b) in sums.iter_mut().zip(&words) {
                    *a = sum(*a, *b, width).unwrap_or(*a);
                }
                return Some(ours);
            }
            ours = self.wider(ours)?;
        }
    }

    /// A copy of another's page.
    pub fn copy(&mut self, other: &Self, theirs: Page) -> Page {
        if theirs.is_small() {
            return theirs;
        }
        let (words, width) = other.copied(theirs);
        self.put(width, &words)
    }

    /// Every counter of a page.
    pub fn counts(&self, page: Page) -> [u64; SLOTS] {
        let mut counts = [0; SLOTS];
        let width = page.width();
        if width == 0 {
            page.slots().for_each(|slot| counts[slot] += 1);
            return counts;
        }
        let per_word = SLOTS >> width;
        for (counts, word) in counts.chunks_exact_mut(per_word).zip(self.words(page)) {
            for (i, count) in counts.iter_mut().enumerate() {
                *count = word >> (i << width) & lowest(width);
            }
        }
        counts
    }

    /// Sum of a page's counters.
    pub fn total(&self, page: Page) -> u64 {
        if page.is_small() {
            u64::from(page.few())
        } else {
            self.counts(page).iter().sum()
        }
    }
}

/// Doubles the width of a page's counters.
fn widen(words: &mut [u64; MOST_WORDS], width: u32) {
    for at in (0..1 << width).rev() {
        let word = words[at];
        words[2 * at] = spread(word & lowest(5), width);
        words[2 * at + 1] = spread(word >> 32, width);
    }
}

/// Moves the counters of half a word apart, each to twice its room: halves, quarters and so on change their places.
fn spread(half: u64, width: u32) -> u64 {
    let mut word = half;
    for step in (width..5).rev() {
        let keep = u64::MAX / ((1 << (1 << step)) + 1);
        word = (word | word << (1 << step)) & keep;
    }
    word
}

/// The counters of two words added; `None` if one overflows.
#[inline]
fn sum(a: u64, b: u64, width: u32) -> Option<u64> {
    let highest = (u64::MAX / lowest(width)) << ((1 << width) - 1);
    // Without the highest bits no counter reaches into the next; they are added without a carry.
    let sum = ((a & !highest) + (b & !highest)) ^ ((a ^ b) & highest);
    let carry = ((a & b) | ((a | b) & !sum)) & highest;
    (carry == 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_move_apart() {
        // Counters 3, 2, 1, 0, 3 of two bits, the first lowest: 0b11_00_01_10_11 → 0x3_0_1_2_3.
        assert_eq!(spread(0b11_00_01_10_11, 1), 0x30123);
        assert_eq!(spread(0x4321, 2), 0x0403_0201);
        assert_eq!(spread(0xffff_0001, 4), 0x0000_ffff_0000_0001);
    }

    #[test]
    fn words_are_added_counter_by_counter() {
        assert_eq!(sum(0x0f01, 0x0002, 3), Some(0x0f03));
        assert_eq!(sum(0xff, 1, 3), None);
        assert_eq!(sum(0xfe, 1, 3), Some(0xff));
        assert_eq!(sum(1 << 63, 1 << 63, 5), None);
        assert_eq!(sum(0b0110, 0b0101, 1), Some(0b1011));
    }
}
