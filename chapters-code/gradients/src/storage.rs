//! A tensor's numbers as a slice, and the way back.

use std::ops::{Deref, Range};
use std::sync::{Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, DType, Device, Error, Layout, Result, Shape, Storage, StorageRef,
    Tensor, bail,
};

/// The numbers of a contiguous f32 tensor on the CPU, read where they lie.
pub struct Values<'a> {
    storage: StorageRef<'a>,
    range: Range<usize>,
}

impl<'a> Values<'a> {
    /// Refuses a tensor that isn't f32, contiguous and on the CPU.
    pub fn of(tensor: &'a Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        let Storage::Cpu(numbers) = &*storage else {
            return Err(unfit(tensor.dtype(), tensor.device()));
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
pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(numbers) = storage else {
        return Err(unfit(storage.dtype(), &Device::Cpu));
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
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// A kernel's error as candle's.
pub fn wrap(error: kernels::KernelError) -> Error {
    Error::wrap(error)
}

/// That a tensor is f32 on the CPU, as all that is computed here.
pub fn expect_f32(tensor: &Tensor) -> Result<()> {
    if tensor.dtype() == DType::F32 && tensor.device().is_cpu() {
        return Ok(());
    }
    Err(unfit(tensor.dtype(), tensor.device()))
}

fn unfit(dtype: DType, device: &Device) -> Error {
    let (found, place) = (dtype.as_str(), device.location());
    Error::Msg(format!("gradients: {found} on {place:?}, but f32 on the CPU is needed"))
}

/// Keeps what the backward pass will need.
pub fn keep<T>(place: &Mutex<Option<T>>, value: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

/// Takes what the forward pass kept.
pub fn take<T>(place: &Mutex<Option<T>>, name: &str) -> Result<T> {
    let kept = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(kept) = kept else {
        bail!("{name}: a second backward pass; run the forward pass again first")
    };
    Ok(kept)
}
