//! Buffers that outlive a forward pass.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps large buffers for the next forward pass.
///
/// The attentions of BERT-base at 512 tokens are 151 MB. Fresh from the system, that is
/// 37,000 pages to map and clear at each pass, a quarter of its time; PyTorch and
/// ONNX Runtime keep their memory between passes, and so does this.
///
/// It never keeps more buffers than were in use at the same time. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<f32>>>>);

impl Buffers {
    /// A buffer of `len` values, to be overwritten: what they hold is left from before.
    pub fn take(&self, len: usize) -> Buffer {
        let mut kept = self.kept();
        // In order of size: the smallest that is large enough, or else the largest of
        // those too small makes room for a new one.
        let fits = kept.iter().position(|values| values.capacity() >= len);
        let mut values = if let Some(i) = fits {
            kept.remove(i)
        } else {
            kept.pop();
            vec![0.0; len]
        };
        values.resize(len, 0.0);
        Buffer { values, home: self.clone() }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<f32>>> {
        // A panic elsewhere leaves a list of buffers as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values on loan from [`Buffers`], given back when dropped.
#[derive(Debug)]
pub struct Buffer {
    values: Vec<f32>,
    home: Buffers,
}

impl Buffer {
    /// The values, not to be given back.
    pub fn into_vec(mut self) -> Vec<f32> {
        std::mem::take(&mut self.values)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        if values.capacity() > 0 {
            let mut kept = self.home.kept();
            let place = kept.partition_point(|v| v.capacity() < values.capacity());
            kept.insert(place, values);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_no_more_are_kept_than_were_used() {
        let buffers = Buffers::default();
        let (small, large) = (buffers.take(10), buffers.take(1000));
        let place = large.as_ptr();
        drop((small, large));
        assert_eq!(buffers.kept().len(), 2);

        let mut again = buffers.take(900);
        assert_eq!((again.as_ptr(), again.len()), (place, 900));
        again.fill(1.0);
        let other = buffers.clone().take(500);
        assert_eq!(*other, [0.0; 500]);
        assert!(buffers.kept().is_empty(), "the small one made room");
        drop((again, other));
        assert_eq!(buffers.kept().len(), 2);

        assert_eq!(buffers.take(7).into_vec().len(), 7);
        assert_eq!(buffers.kept().len(), 1);
    }
    #[test]
    fn the_smallest_that_is_large_enough_is_lent() {
        let buffers = Buffers::default();
        let used = [300, 100, 200].map(|count| buffers.take(count));
        let places = used.each_ref().map(|buffer| buffer.as_ptr());
        drop(used);
        let again = [150, 90, 250].map(|count| buffers.take(count));
        let found = again.each_ref().map(|buffer| buffer.as_ptr());
        assert_eq!(found, [places[2], places[1], places[0]]);
    }
}
