//! A selection of rows, one bit each.

/// Bits for rows `0..len`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// Makes it `len` bits long, all `value`. Keeps its memory.
    pub fn reset(&mut self, len: usize, value: bool) {
        self.words.clear();
        self.words.resize(len.div_ceil(64), if value { u64::MAX } else { 0 });
        self.len = len;
        self.mask_tail();
    }

    fn mask_tail(&mut self) {
        let tail = self.len % 64;
        if tail != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << tail) - 1;
        }
    }

    /// Number of bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if it has no bits at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of bits set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The bit of a row.
    pub fn get(&self, row: usize) -> bool {
        row < self.len && self.words[row / 64] >> (row % 64) & 1 == 1
    }

    /// Sets the bit of a row.
    pub fn set(&mut self, row: usize, value: bool) {
        if row < self.len {
            let bit = 1 << (row % 64);
            if value {
                self.words[row / 64] |= bit;
            } else {
                self.words[row / 64] &= !bit;
            }
        }
    }

    /// Keeps the bits set in both.
    pub fn and(&mut self, other: &Bitmap) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= b;
        }
    }

    /// Sets the bits set in either.
    pub fn or(&mut self, other: &Bitmap) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a |= b;
        }
    }

    /// Clears the bits that are set in `other`.
    pub fn and_not(&mut self, other: &Bitmap) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= !b;
        }
    }

    /// The words, 64 rows each, for column loops.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words, for column loops; bits past the end must stay clear.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Rows whose bit is set, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(i, &w)| {
            let mut rest = w;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    i * 64 + bit
                })
            })
        })
    }

    /// Keeps only the set bits for which `test` holds.
    pub fn retain(&mut self, mut test: impl FnMut(usize) -> bool) {
        for (i, w) in self.words.iter_mut().enumerate() {
            let mut rest = *w;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !test(i * 64 + bit as usize) {
                    *w &= !(1 << bit);
                }
            }
        }
    }
}
