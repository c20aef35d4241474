//! Buffers that start on a cache line.

/// Values in a cache line of 64 bytes, which is also one AVX-512 vector.
const LINE: usize = 16;

/// A buffer whose first value lies on a cache line.
///
/// A vector load that straddles two lines costs two, and the microkernel does little
/// but load. `Vec<f32>` promises only 4 bytes, so we ask for a line more than we need
/// and start where the first whole line does.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    data: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let data = vec![0.0; len + LINE];
        let start = data.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { data, start, len }
    }

    /// The first `len` values, to be overwritten: what they hold is left from before.
    /// The buffer grows when it must and never shrinks, so that a scratch buffer is
    /// paid for once and not at each layer.
    pub fn scratch(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            *self = Self::zeros(len);
        }
        &mut self.as_mut_slice()[..len]
    }

    pub fn as_slice(&self) -> &[f32] {
        &self.data[self.start..self.start + self.len]
    }

    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data[self.start..self.start + self.len]
    }
}
