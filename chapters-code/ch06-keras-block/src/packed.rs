//! A model's kernels as the fast product reads them, for `predict`.

use std::any::Any;

use candle_core::{CpuStorage, Error, Storage, Tensor};
use kernels::{Epilogue, PackedLinear};

use crate::error::{LayerError, Result};
use crate::layers::{Activation, Dense};
use crate::model_layer::ModelLayer;

/// The Dense layers of a model, packed; `None` where another layer is.
#[derive(Debug)]
pub(crate) struct Packed(Vec<Option<PackedDense>>);

#[derive(Debug)]
pub(crate) struct PackedDense {
    linear: PackedLinear,
    activation: Activation,
}

impl Packed {
    pub(crate) fn new(layers: &[ModelLayer]) -> Result<Self> {
        let layer = |layer: &ModelLayer| {
            let any: &dyn Any = &*layer.tensor.node().layer;
            let Some(dense) = any.downcast_ref::<Dense>() else { return Ok(None) };
            let [kernel, bias] = layer.variables.as_slice() else { return Ok(None) };
            let (outputs, inputs) = kernel.var.dims2()?;
            let kernel: Vec<f32> = kernel.var.flatten_all()?.to_vec1()?;
            let bias: Vec<f32> = bias.var.to_vec1()?;
            let linear = PackedLinear::new(&kernel, Some(&bias), inputs, outputs);
            let linear = linear.map_err(Error::wrap)?;
            Ok(Some(PackedDense { linear, activation: dense.activation }))
        };
        Ok(Self(layers.iter().map(layer).collect::<Result<_>>()?))
    }

    pub(crate) fn layer(&self, i: usize) -> Option<&PackedDense> {
        self.0.get(i)?.as_ref()
    }
}

impl PackedDense {
    /// `[…, inputs] -> […, outputs]`
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, LayerError> {
        let x = x.contiguous()?;
        let mut shape = x.dims().to_vec();
        let rows = x.elem_count() / self.linear.inputs();
        if let Some(width) = shape.last_mut() {
            *width = self.linear.outputs();
        }
        let mut out = vec![0.0; rows * self.linear.outputs()];
        {
            let (storage, layout) = x.storage_and_layout();
            let Storage::Cpu(CpuStorage::F32(values)) = &*storage else {
                return Err(Error::Msg("not f32 on the CPU".into()).into());
            };
            let start = layout.start_offset();
            let values = &values[start..start + layout.shape().elem_count()];
            let epilogue = match self.activation {
                Activation::Linear => Epilogue::None,
                Activation::Relu => Epilogue::Relu,
            };
            self.linear
                .forward(values, rows, epilogue, &mut out)
                .map_err(Error::wrap)?;
        }
        Ok(Tensor::from_vec(out, shape, x.device())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Call;
    use crate::layers::{Input, TokenAndPositionEmbedding};
    use crate::model::Model;

    #[test]
    fn every_dense_is_packed_and_nothing_else() -> Result<()> {
        let ids = Input::new([3]).symbol()?;
        let x = TokenAndPositionEmbedding::new(5, 3, 4).on(&ids)?;
        let output = Dense::new(2).name("named").on(&Dense::new(6).on(&x)?)?;
        let model = Model::new(&ids, &output, 42)?;
        let packed = Packed::new(&model.layers)?;
        let is_packed: Vec<bool> =
            (0..model.layers.len()).map(|i| packed.layer(i).is_some()).collect();
        assert_eq!(is_packed, [false, false, true, true]);
        Ok(())
    }
}
