//! A tensor's numbers as a slice, and the way back.

use std::ops::{Deref, Range};

use candle_core::{
    CpuStorage, Error, Layout, Result, Shape, Storage, StorageRef, Tensor, bail,
};

/// The numbers of a contiguous f32 tensor on the CPU, read where they lie.
pub struct Values<'a> {
    storage: StorageRef<'a>,
    range: Range<usize>,
}

impl<'a> Values<'a> {
    /// # Errors
    ///
    /// If the tensor isn't f32, contiguous and on the CPU.
    pub fn of(tensor: &'a Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        let Storage::Cpu(numbers) = &*storage else {
            bail!("a tensor on {:?} where one on the CPU is needed", tensor.device())
        };
        let len = slice(numbers, layout)?.len();
        let start = layout.start_offset();
        Ok(Self { storage, range: start..start + len })
    }
}

impl Deref for Values<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(numbers)) => &numbers[self.range.clone()],
            _ => &[], // `of` has seen that it is f32 on the CPU
        }
    }
}

/// The numbers that a layout has of a storage.
///
/// # Errors
///
/// If they aren't f32 and contiguous.
pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(numbers) = storage else {
        bail!("a tensor that isn't f32, as these operations are")
    };
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("a tensor that isn't contiguous: call contiguous() on it")
    };
    Ok(&numbers[start..end])
}

/// What a custom operation gives back.
pub fn result(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.into())
}

/// A tensor on the CPU.
pub fn tensor(values: Vec<f32>, shape: &Shape) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &candle_core::Device::Cpu)
}

/// A kernel's error as candle's.
pub fn wrap(error: kernels::KernelError) -> Error {
    Error::wrap(error)
}

/// Whether the fast path has what it needs: f32 on the CPU.
pub fn is_fast(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && tensor.dtype() == candle_core::DType::F32
}
