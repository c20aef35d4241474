//! Safetensors files, read without a memory map: each tensor goes from the disk straight
//! into its own buffer, so that a model takes about the memory of its weights.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytemuck::Pod;
use candle_core::{DType, Device, Tensor, WithDType};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorInfo};
use serde::de::{
    Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor,
};

use crate::disk::File;
use crate::error::{ModelError, Result};
use crate::file;

/// The longest header that the format allows, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// Numbers converted at a time.
const CHUNK: usize = 1 << 15;

/// An open checkpoint: the headers read and checked against the files' sizes, the weights
/// still on disk.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    shards: Vec<Shard>,
    /// Each tensor's shard and what its header says.
    tensors: BTreeMap<String, (usize, TensorInfo)>,
}

/// One file.
#[derive(Debug)]
struct Shard {
    path: PathBuf,
    file: Mutex<File>,
    /// Where the weights begin.
    start: u64,
}

impl Checkpoint {
    /// Opens a `.safetensors` file, or the shards that a `model.safetensors.index.json` lists.
    ///
    /// # Errors
    ///
    /// If it can't be read, is truncated or of another format, or its header is not one.
    pub fn open(path: &Path) -> Result<Self> {
        let mut checkpoint =
            Self { path: path.into(), shards: Vec::new(), tensors: BTreeMap::new() };
        if path.extension().is_some_and(|extension| extension == "json") {
            let folder = path.parent().unwrap_or(Path::new(""));
            for shard in shard_names(path)? {
                checkpoint.add(&folder.join(shard))?;
            }
        } else {
            checkpoint.add(path)?;
        }
        Ok(checkpoint)
    }

    /// Adds a file's tensors.
    fn add(&mut self, path: &Path) -> Result<()> {
        let (shard, header) = Shard::open(path)?;
        for (name, info) in header.0 {
            if self.tensors.contains_key(&name) {
                let reason = format!("tensor {name} is in another shard, too");
                return Err(not_safetensors(path, reason));
            }
            self.tensors.insert(name, (self.shards.len(), info));
        }
        self.shards.push(shard);
        Ok(())
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the tensors, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// What the header says of a tensor.
    pub fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(name).map(|(_, info)| info)
    }

    /// The numbers in all tensors together.
    pub(crate) fn elements(&self) -> usize {
        let sizes = self.tensors.values().map(|(_, info)| elements(info));
        sizes.fold(0, usize::saturating_add)
    }

    /// Reads a tensor into memory as `dtype` (f32, f16, bf16 or f64), on the CPU.
    ///
    /// # Errors
    ///
    /// If there is none of that name, it isn't of floats, or the file can't be read.
    pub fn tensor(&self, name: &str, dtype: DType) -> Result<Tensor> {
        let Some((shard, info)) = self.tensors.get(name) else {
            return Err(not_safetensors(
                &self.path,
                format!("it has no tensor {name}"),
            ));
        };
        let shard = &self.shards[*shard];
        match dtype {
            DType::F32 => shard.read::<f32>(name, info),
            DType::F16 => shard.read::<f16>(name, info),
            DType::BF16 => shard.read::<bf16>(name, info),
            DType::F64 => shard.read::<f64>(name, info),
            other => {
                let message = format!("weights can't be loaded as {other:?}");
                Err(candle_core::Error::Msg(message).into())
            }
        }
    }
}

/// The numbers in a tensor whose header was checked.
fn elements(info: &TensorInfo) -> usize {
    info.shape.iter().product()
}

impl Shard {
    /// Opens a file and checks every tensor of its header against its size.
    fn open(path: &Path) -> Result<(Self, Header)> {
        let mut file = File::open(path).map_err(ModelError::io("open", path))?;
        let io = ModelError::io("read", path);
        file::refuse_others(&mut file, path)?;
        let size = file.metadata().map_err(&io)?.len();
        let truncated = |what: String, expected| {
            let path = path.to_path_buf();
            Err(ModelError::Truncated { path, what, found: size, expected })
        };
        if size < 8 {
            return truncated("the header's length".into(), 8);
        }
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(&io)?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER {
            let reason =
                format!("its header would have {length} bytes, more than {MAX_HEADER}");
            return Err(not_safetensors(path, reason));
        }
        let start = 8 + length;
        if start > size {
            return truncated("the header".into(), start);
        }
        // Not more than the file has, so the length can be believed.
        let mut header = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_exact(&mut header).map_err(&io)?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|error| not_safetensors(path, format!("header: {error}")))?;
        let end = header.check(path)?;
        let data = size - start;
        if end > data {
            let what =
                header.last().map_or("nothing".into(), |name| format!("tensor {name}"));
            return truncated(what, start + end);
        }
        if end < data {
            let reason = format!("{} bytes stand after the last tensor", data - end);
            return Err(not_safetensors(path, reason));
        }
        Ok((Self { path: path.into(), file: Mutex::new(file), start }, header))
    }

    /// Reads a tensor as numbers of type `T`.
    fn read<T: Weight>(&self, name: &str, info: &TensorInfo) -> Result<Tensor> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let io = ModelError::io("read", &self.path);
        file.seek(SeekFrom::Start(self.start + info.data_offsets.0 as u64))
            .map_err(&io)?;
        let mut numbers = vec![T::zero(); elements(info)];
        let done = match info.dtype {
            stored if stored == T::STORED => {
                file.read_exact(bytemuck::cast_slice_mut(&mut numbers))
            }
            Dtype::F16 => convert::<f16, T>(&mut file, &mut numbers),
            Dtype::BF16 => convert::<bf16, T>(&mut file, &mut numbers),
            Dtype::F32 => convert::<f32, T>(&mut file, &mut numbers),
            Dtype::F64 => convert::<f64, T>(&mut file, &mut numbers),
            other => {
                let reason = format!(
                    "tensor {name} is of {other:?}; weights are read from F32, F16, BF16 \
                     and F64"
                );
                return Err(not_safetensors(&self.path, reason));
            }
        };
        done.map_err(&io)?;
        if let Some((index, value)) = not_finite(&numbers) {
            let (path, tensor) = (self.path.clone(), name.to_owned());
            return Err(ModelError::NotFinite { path, tensor, index, value });
        }
        Ok(Tensor::from_vec(numbers, info.shape.as_slice(), &Device::Cpu)?)
    }
}

/// The first number that is NaN or infinite, and where it is.
fn not_finite<T: Weight>(numbers: &[T]) -> Option<(usize, f64)> {
    let finite = |number: &T| number.to_f64().is_finite();
    // Without a way out in the middle, the processor looks at many numbers at once.
    let spoiled =
        |chunk: &[T]| !chunk.iter().fold(true, |all, number| all & finite(number));
    let (start, chunk) = (0..)
        .step_by(CHUNK)
        .zip(numbers.chunks(CHUNK))
        .find(|(_, chunk)| spoiled(chunk))?;
    let at = chunk.iter().position(|number| !finite(number))?;
    Some((start + at, chunk[at].to_f64()))
}

/// A type that weights are stored in and loaded as.
trait Weight: WithDType + Pod {
    /// Its name in a safetensors header.
    const STORED: Dtype;

    /// Converts to f32.
    fn to_f32_slice(from: &[Self], to: &mut [f32]);

    /// Converts from f32.
    fn from_f32_slice(from: &[f32], to: &mut [Self]);
}

impl Weight for f32 {
    const STORED: Dtype = Dtype::F32;

    fn to_f32_slice(from: &[Self], to: &mut [f32]) {
        to.copy_from_slice(from);
    }

    fn from_f32_slice(from: &[f32], to: &mut [Self]) {
        to.copy_from_slice(from);
    }
}

impl Weight for f64 {
    const STORED: Dtype = Dtype::F64;

    #[allow(clippy::cast_possible_truncation)] // rounds to the nearest f32
    fn to_f32_slice(from: &[Self], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from as f32;
        }
    }

    fn from_f32_slice(from: &[f32], to: &mut [Self]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = f64::from(*from);
        }
    }
}

macro_rules! half_weight {
    ($($half:ty, $stored:expr;)*) => {
        $(impl Weight for $half {
            const STORED: Dtype = $stored;

            fn to_f32_slice(from: &[Self], to: &mut [f32]) {
                from.convert_to_f32_slice(to);
            }

            fn from_f32_slice(from: &[f32], to: &mut [Self]) {
                to.convert_from_f32_slice(from);
            }
        })*
    };
}
half_weight! { f16, Dtype::F16; bf16, Dtype::BF16; }

/// Fills `numbers` from a file of numbers of another type `S`, by way of f32 as PyTorch does:
/// exact, but for the rounding that a narrower type needs.
fn convert<S: Weight, T: Weight>(
    file: &mut File,
    numbers: &mut [T],
) -> std::io::Result<()> {
    let size = CHUNK.min(numbers.len());
    let (mut stored, mut singles) = (vec![S::zero(); size], vec![0.0; size]);
    for chunk in numbers.chunks_mut(CHUNK) {
        let (stored, singles) =
            (&mut stored[..chunk.len()], &mut singles[..chunk.len()]);
        file.read_exact(bytemuck::cast_slice_mut(stored))?;
        S::to_f32_slice(stored, singles);
        T::from_f32_slice(singles, chunk);
    }
    Ok(())
}

/// A safetensors header: what it says of each tensor, in order of their place in the file.
struct Header(Vec<(String, TensorInfo)>);

impl Header {
    /// Checks that shapes, types and places agree and leave no gap; returns where they end.
    fn check(&self, path: &Path) -> Result<u64> {
        let mut expected = 0;
        for (name, info) in &self.0 {
            let (begin, end) = info.data_offsets;
            if begin != expected || end < begin {
                let reason = format!(
                    "tensor {name} has data_offsets [{begin}, {end}], but should begin at \
                     {expected}"
                );
                return Err(not_safetensors(path, reason));
            }
            let bits = info
                .shape
                .iter()
                .try_fold(info.dtype.bitsize(), |bits, &size| bits.checked_mul(size));
            if bits != (end - begin).checked_mul(8) || bits.is_none() {
                let reason = format!(
                    "tensor {name} of {:?} and shape {:?} has {} bytes",
                    info.dtype,
                    info.shape,
                    end - begin
                );
                return Err(not_safetensors(path, reason));
            }
            expected = end;
        }
        Ok(expected as u64)
    }

    /// The tensor at the end of the file.
    fn last(&self) -> Option<&str> {
        self.0.last().map(|(name, _)| name.as_str())
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        struct Tensors;

        impl<'de> Visitor<'de> for Tensors {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Header, A::Error> {
                let mut names = BTreeSet::new();
                let mut tensors = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else if names.insert(name.clone()) {
                        tensors.push((name, map.next_value::<TensorInfo>()?));
                    } else {
                        return Err(A::Error::custom(format!("two tensors {name}")));
                    }
                }
                tensors.sort_by_key(|(_, info)| info.data_offsets);
                Ok(Header(tensors))
            }
        }

        deserializer.deserialize_map(Tensors)
    }
}

/// The files that an index lists, which must stand beside it.
pub(crate) fn shard_names(index: &Path) -> Result<BTreeSet<String>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = file::read(index)?;
    let parsed: Index = serde_json::from_slice(&text)
        .map_err(|source| ModelError::Json { path: index.to_path_buf(), source })?;
    let names: BTreeSet<String> = parsed.weight_map.into_values().collect();
    let beside = |name: &String| {
        name.ends_with(".safetensors")
            && !name.contains(['/', '\\', ':'])
            && name.len() < 128
    };
    match names.iter().find(|name| !beside(name)) {
        None if !names.is_empty() => Ok(names),
        found => Err(ModelError::Field {
            path: index.to_path_buf(),
            field: "weight_map".into(),
            found: found.map_or("empty".into(), |name| format!("{name:?}")),
            expected: "the names of safetensors files in the same folder".into(),
        }),
    }
}

fn not_safetensors(path: &Path, reason: String) -> ModelError {
    let path = path.to_path_buf();
    ModelError::Format { path, format: "a safetensors file", reason }
}
