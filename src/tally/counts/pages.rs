//! Pages of 256 counters, each page only as wide as its largest count needs.
//!
//! A page starts as up to three slots inside its own 32 bits, and then has counters of 2, 4, 8, 16 or 32 bits, packed into
//! words: the narrowest fills a cache line. Most counts of a run are small: narrow pages are what keeps them in the
//! processor's caches.

use super::BIN;

/// Counters in a page.
pub const SLOTS: usize = 1 << SLOT_BITS;
/// Bits of a key that tell the slot.
pub const SLOT_BITS: u32 = 8;
/// Words of the widest page.
const WIDEST: usize = (SLOTS / 64) << WIDTHS;
/// Bins of a page.
const BINS: usize = SLOTS / BIN as usize;
/// Widths of counters, as powers of two: 2 to 32 bits.
const WIDTHS: usize = 5;
/// The width is in the upper three bits, 0 for slots held by the page itself.
const WIDTH_AT: u32 = 29;
/// Slots that a page holds by itself: their number in bits 24 and 25, eight bits each below.
const FEW: u32 = 3;
const FEW_AT: u32 = 24;

/// The most that the widest counter holds.
pub const MOST: u64 = u32::MAX as u64;

/// What there is of a page: nothing, a few slots, or where its counters are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page(u32);

impl Page {
    /// Whether nothing was counted.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Logarithm of the counters' bits; 0 for a page that holds its slots itself.
    #[inline]
    pub fn width(self) -> u32 {
        self.0 >> WIDTH_AT
    }

    /// Where its words begin in its width's pool.
    #[inline]
    fn begin(self) -> usize {
        (self.0 & !(7 << WIDTH_AT)) as usize * words_of(self.width())
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

/// About how many bytes a page needs besides its place, if it counted so much.
pub fn bytes_of(counted: usize) -> usize {
    if counted <= FEW as usize {
        0
    } else {
        words_of(1) * size_of::<u64>()
    }
}

/// Words of a page with counters of that width.
#[inline]
fn words_of(width: u32) -> usize {
    (SLOTS / 64) << width
}

/// The width whose counters hold so much; the widest, if none does.
pub fn width_for(n: u64) -> u32 {
    let widths = 1..WIDTHS as u32;
    widths
        .clone()
        .find(|width| n <= lowest(*width))
        .unwrap_or(widths.end)
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
        let bit = slot << width;
        let pool = self.pools.get_mut((width as usize).wrapping_sub(1));
        let Some(word) = pool.and_then(|pool| pool.get_mut(page.begin() + bit / 64)) else {
            return false;
        };
        let count = *word >> (bit % 64) & lowest(width);
        let fits = n <= lowest(width) - count;
        if fits {
            *word += n << (bit % 64);
        }
        fits
    }

    /// Adds to a counter of the widest page what fits it; the rest is returned in multiples of [`MOST`]. A counter that holds
    /// something never becomes 0.
    pub fn add_widest(&mut self, page: Page, slot: usize, n: u64) -> u64 {
        let word = &mut self.pools[WIDTHS - 1][page.begin() + slot / 2];
        let shift = slot % 2 * 32;
        let sum = (*word >> shift & MOST).saturating_add(n);
        let beyond = sum.saturating_sub(1) / MOST;
        *word = *word & !(MOST << shift) | (sum - beyond * MOST) << shift;
        beyond
    }

    /// The page with one more slot, if it holds its slots itself and has room.
    pub fn with_slot(page: Page, slot: usize) -> Option<Page> {
        let has_room = page.width() == 0 && page.few() < FEW;
        has_room.then(|| Page((page.0 + (1 << FEW_AT)) | (slot as u32) << (page.few() * SLOT_BITS)))
    }

    /// A page of that width that counted nothing yet.
    pub fn blank(&mut self, width: u32) -> Page {
        let (pool, len) = (&mut self.pools[width as usize - 1], words_of(width));
        let number = if let Some(free) = self.free[width as usize - 1].pop() {
            pool[free as usize * len..][..len].fill(0);
            free
        } else {
            pool.resize(pool.len() + len, 0);
            (pool.len() / len) as u32 - 1
        };
        Page(width << WIDTH_AT | number)
    }

    /// The same counts with more room; `None` if it is the widest.
    pub fn wider(&mut self, page: Page) -> Option<Page> {
        let width = page.width() as usize;
        if width == WIDTHS {
            return None;
        }
        if page.is_small() {
            let wider = self.blank(1);
            for slot in page.slots() {
                self.add(wider, slot, 1);
            }
            return Some(wider);
        }
        let wider = self.blank(page.width() + 1);
        let (narrow, wide) = self.pools.split_at_mut(width);
        let from = narrow[width - 1][page.begin()..].iter();
        let to = wide[0][wider.begin()..].as_chunks_mut().0;
        for (word, [low, high]) in from.zip(to).take(words_of(page.width())) {
            (*low, *high) = halves(*word, page.width());
        }
        self.free[width - 1].push(page.0 & !(7 << WIDTH_AT));
        Some(wider)
    }

    fn words(&self, page: Page) -> &[u64] {
        &self.pools[page.width() as usize - 1][page.begin()..][..words_of(page.width())]
    }

    /// A page's words as if its counters had that width, which is not less than theirs.
    fn words_as<'w>(&'w self, page: Page, width: u32, room: &'w mut [u64; WIDEST]) -> &'w [u64] {
        let mut words = self.words(page);
        if page.width() < width {
            room[..words.len()].copy_from_slice(words);
            let mut len = words.len();
            for width in page.width()..width {
                for i in (0..len).rev() {
                    (room[2 * i], room[2 * i + 1]) = halves(room[i], width);
                }
                len *= 2;
            }
            words = &room[..len];
        }
        words
    }

    /// Adds another's page to a page that is not empty, and returns what becomes of it. The sum of the widest may not fit: an
    /// error with the page, which has become the widest but to which nothing was added.
    pub fn merge(&mut self, mut ours: Page, other: &Self, theirs: Page) -> Result<Page, Page> {
        while ours.width() < theirs.width() {
            ours = self.wider(ours).ok_or(ours)?;
        }
        loop {
            let (width, begin) = (ours.width(), ours.begin());
            let sums = &mut self.pools[width as usize - 1][begin..begin + words_of(width)];
            let is_added = if theirs.width() == width {
                add_words(sums, other.words(theirs), width)
            } else {
                let mut room = [0; WIDEST];
                add_words(sums, other.words_as(theirs, width, &mut room), width)
            };
            if is_added {
                return Ok(ours);
            }
            ours = self.wider(ours).ok_or(ours)?;
        }
    }

    /// A copy of another's page.
    pub fn copy(&mut self, other: &Self, theirs: Page) -> Page {
        if theirs.is_small() {
            return theirs;
        }
        let (width, words) = (theirs.width(), other.words(theirs));
        let pool = &mut self.pools[width as usize - 1];
        let number = if let Some(free) = self.free[width as usize - 1].pop() {
            pool[free as usize * words.len()..][..words.len()].copy_from_slice(words);
            free
        } else {
            pool.extend_from_slice(words);
            (pool.len() / words.len()) as u32 - 1
        };
        Page(width << WIDTH_AT | number)
    }

    /// The counters of a page that hold something, from that slot on or from some before it.
    #[inline]
    pub fn held(&self, page: Page, from: usize) -> Held<'_> {
        let words = if page.is_small() {
            &[]
        } else {
            &self.words(page)[from << page.width() >> 6..]
        };
        let (word, words) = words.split_first().unwrap_or((&0, &[]));
        Held {
            word: *word,
            words,
            at: from << page.width() >> 6 << 6 >> page.width(),
            page,
        }
    }

    /// Sum of the counters up to that slot.
    pub fn up_to(&self, page: Page, slot: usize) -> u64 {
        if page.is_small() {
            return page.slots().filter(|held| *held <= slot).count() as u64;
        }
        let width = page.width();
        let (whole, bits) = ((slot + 1) << width >> 6, ((slot + 1) << width) % 64);
        let (before, after) = self.words(page).split_at(whole);
        let cut = after.first().map_or(0, |word| word & ((1 << bits) - 1));
        let sum: u64 = before.iter().map(|word| total_of(*word, width)).sum();
        sum + total_of(cut, width)
    }

    /// What lies in each bin of a page.
    pub fn in_bins(&self, page: Page) -> [u64; BINS] {
        let mut bins = [0; BINS];
        let width = page.width();
        if page.is_small() {
            let slots = page.slots();
            slots.for_each(|slot| bins[slot / BIN as usize] += 1);
        } else if width == 1 {
            // Two bins in a word.
            let halves = self.words(page).iter();
            let halves = halves.flat_map(|word| [word & lowest(5), word >> 32]);
            for (bin, half) in bins.iter_mut().zip(halves) {
                *bin = total_of(half, width);
            }
        } else {
            let words = self.words(page).chunks_exact(words_of(width) / BINS);
            for (bin, words) in bins.iter_mut().zip(words) {
                *bin = words.iter().map(|word| total_of(*word, width)).sum();
            }
        }
        bins
    }
}

/// Slots of a page that were counted, in ascending order, each with its count.
#[derive(Clone, Debug, Default)]
pub struct Held<'p> {
    /// The counters that are still to come of the word that begins with slot `at`.
    word: u64,
    words: &'p [u64],
    /// Of a small page the first slot that is still to come.
    at: usize,
    page: Page,
}

impl Held<'_> {
    /// The next of a small page.
    fn small(&mut self) -> Option<(usize, u64)> {
        let slot = self.page.slots().filter(|slot| *slot >= self.at).min()?;
        self.at = slot + 1;
        let n = self.page.slots().filter(|other| *other == slot).count();
        Some((slot, n as u64))
    }
}

impl Iterator for Held<'_> {
    type Item = (usize, u64);

    #[inline]
    fn next(&mut self) -> Option<(usize, u64)> {
        let width = self.page.width();
        if width == 0 {
            return self.small();
        }
        while self.word == 0 {
            let (word, words) = self.words.split_first()?;
            (self.word, self.words) = (*word, words);
            self.at += 64 >> width;
        }
        let within = self.word.trailing_zeros() >> width;
        let (bit, slot) = (within << width, self.at + within as usize);
        let n = self.word >> bit & lowest(width);
        self.word &= !(lowest(width) << bit);
        Some((slot, n))
    }
}

/// Words of which every other bit is set, every other pair, and so on to every other half: the lower ones.
const LOWER: [u64; 6] = {
    let mut lower = [0; 6];
    let mut step = 0;
    while step < lower.len() {
        lower[step] = u64::MAX / ((1 << (1 << step)) + 1);
        step += 1;
    }
    lower
};

/// Sum of a word's counters: neighbours are added up, to pairs, to fours and so on.
#[inline]
fn total_of(word: u64, width: u32) -> u64 {
    let steps = LOWER.iter().enumerate().skip(width as usize);
    steps.fold(word, |word, (step, lower)| {
        (word & lower) + (word >> (1 << step) & lower)
    })
}

/// Moves the counters of half a word apart, each to twice its room: halves, quarters and so on change their places.
#[inline]
fn spread(half: u64, width: u32) -> u64 {
    let steps = LOWER[..5].iter().enumerate().skip(width as usize).rev();
    steps.fold(half, |word, (step, lower)| {
        (word | word << (1 << step)) & lower
    })
}

/// The two words that a word becomes when its counters get twice their room.
#[inline]
fn halves(word: u64, width: u32) -> (u64, u64) {
    (spread(word & lowest(5), width), spread(word >> 32, width))
}

/// The highest bit of each counter.
#[inline]
fn highest(width: u32) -> u64 {
    (u64::MAX / lowest(width)) << ((1 << width) - 1)
}

/// Adds words to words, unless a counter overflows.
fn add_words(sums: &mut [u64], added: &[u64], width: u32) -> bool {
    let highest = highest(width);
    let mut carries = 0;
    for (a, b) in sums.iter_mut().zip(added) {
        let carry;
        (*a, carry) = sum(*a, *b, highest);
        carries |= carry;
    }
    if carries != 0 {
        for (a, b) in sums.iter_mut().zip(added) {
            *a = difference(*a, *b, highest);
        }
    }
    carries == 0
}

/// The counters of two words added, each without what does not fit it, and the highest bit of those with such a rest.
#[inline]
fn sum(a: u64, b: u64, highest: u64) -> (u64, u64) {
    // Without the highest bits no counter reaches into the next; they are added without a carry.
    let sum = ((a & !highest) + (b & !highest)) ^ ((a ^ b) & highest);
    let carry = ((a & b) | ((a | b) & !sum)) & highest;
    (sum, carry)
}

/// What was added to the counters of a word taken off again.
#[inline]
fn difference(sum: u64, added: u64, highest: u64) -> u64 {
    ((sum | highest) - (added & !highest)) ^ ((sum ^ !added) & highest)
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
    fn a_wider_page_has_the_same_words_as_a_narrow_one_read_so() {
        let mut pages = Pages::default();
        let narrow = pages.blank(1);
        for slot in 0..SLOTS {
            pages.add(narrow, slot, slot as u64 % 4);
        }
        let read = pages.words_as(narrow, 4, &mut [0; WIDEST]).to_vec();
        let mut wide = narrow;
        while wide.width() < 4 {
            wide = pages.wider(wide).expect("not the widest");
        }
        assert_eq!(read, pages.words(wide));
        let held: Vec<_> = (0..SLOTS).map(|slot| (slot, slot as u64 % 4)).collect();
        let held: Vec<_> = held.into_iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(pages.held(wide, 0).collect::<Vec<_>>(), held);
        assert_eq!(pages.up_to(wide, SLOTS - 1), 64 * 6);
    }

    #[test]
    fn counters_are_summed_up() {
        assert_eq!(total_of(u64::MAX, 1), 32 * 3);
        assert_eq!(total_of(0x4321, 2), 10);
        assert_eq!(total_of(0xffff_ffff_0000_0001, 5), 1 << 32);
    }

    #[test]
    fn words_are_added_counter_by_counter() {
        for (a, b, width, expected) in [
            (0x0f01, 0x0002, 3, Some(0x0f03)),
            (0xff, 1, 3, None),
            (0xfe, 1, 3, Some(0xff)),
            (1 << 63, 1 << 63, 5, None),
            (0b0110, 0b0101, 1, Some(0b1011)),
        ] {
            // What does not fit leaves all as it was, the words before it also.
            let mut sums = [5, a, 7];
            let added = add_words(&mut sums, &[1, b, 0], width);
            assert_eq!(added, expected.is_some());
            let expected = expected.map_or([5, a, 7], |sum| [6, sum, 7]);
            assert_eq!(sums, expected, "{a:x} + {b:x}");
        }
    }
}
