//! What is put on BERT for a task: a guess for each token, or a label for each text.

use candle_core::{IndexOp, Tensor};
use candle_nn::{Init, Linear, Module, VarBuilder};
use hub::Config;
use sentiment::layers::activation;
use sentiment::{
    BaseModel, Batch, ClassifierOutput, EncoderOutput, ForwardOptions, Result,
};
use training::linear::linear;
use training::{Activation, Dropout, LayerNorm, WeightInit, activate};

/// BERT that guesses hidden words: transformers' `BertForMaskedLM`.
///
/// The table of the pieces' vectors serves twice, unless the model has two: a token's
/// guess is the piece whose vector is most like the one made of the token's.
#[derive(Debug, Clone)]
pub struct BertForMaskedLm {
    /// The tokens' vectors.
    pub bert: BaseModel,
    /// `d_model -> d_model`, before the activation and the norm.
    pub transform: Linear,
    /// After the linear layer.
    pub activation: Activation,
    /// After the activation.
    pub norm: LayerNorm,
    /// What vectors are compared with, `[vocabulary, d_model]`: the embeddings' own table
    /// unless the weights aren't tied.
    pub decoder: Tensor,
    /// Added to each piece's number, `[vocabulary]`.
    pub bias: Tensor,
}

/// What [`BertForMaskedLm::forward`] computes.
#[derive(Debug, Clone)]
pub struct MaskedLmOutput {
    /// A number for each piece, for each token, before softmax,
    /// `[batch, n, vocabulary]`.
    pub logits: Tensor,
    /// What the encoder computed on the way.
    pub encoder: EncoderOutput,
}

impl BertForMaskedLm {
    /// A number for each piece of the vocabulary, for each token.
    pub fn forward(
        &self,
        batch: &Batch,
        options: ForwardOptions,
    ) -> Result<MaskedLmOutput> {
        let encoder = self.bert.forward(batch, options)?;
        let logits = self.predict(&encoder.last_hidden_state)?;
        Ok(MaskedLmOutput { logits, encoder })
    }

    /// From tokens' last vectors to a number for each piece: `[…, d_model] ->
    /// […, vocabulary]`. Training gives it the masked tokens only.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](sentiment::EncoderError) if `x` has another width.
    pub fn predict(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.decoder().forward(&self.transform(x)?)?) // […, vocabulary]
    }

    /// What the last layer reads, from the tokens' last vectors: `[…, d_model]` both.
    pub(crate) fn transform(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = activate(self.activation, &self.transform.forward(x)?)?;
        Ok(self.norm.forward(&hidden)?)
    }

    /// The last layer, `d_model -> vocabulary`.
    pub(crate) fn decoder(&self) -> Linear {
        Linear::new(self.decoder.clone(), Some(self.bias.clone()))
    }
}

impl BertForMaskedLm {
    /// The model at `vb`: `bert` and `cls.predictions`.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (d_model, predictions) = (config.hidden_size, vb.pp("cls.predictions"));
        let transform = predictions.pp("transform");
        let norm = transform.pp("LayerNorm");
        let bias = Init::Const(0.0);
        let bert = BaseModel::load(&vb.pp("bert"), config)?;
        let shape = (config.vocab_size, d_model);
        let decoder = if config.tie_word_embeddings {
            bert.embeddings.words.clone()
        } else {
            predictions.pp("decoder").get(shape, "weight")?
        };
        Ok(Self {
            bert,
            decoder,
            transform: linear(
                &transform.pp("dense"),
                d_model,
                d_model,
                WeightInit::BERT,
            )?,
            activation: activation(config.activation),
            norm: LayerNorm::load(&norm, d_model, config.layer_norm_eps)?,
            bias: predictions.get_with_hints(config.vocab_size, "bias", bias)?,
        })
    }
}

/// `[CLS]`'s last vector through a linear layer and `tanh`: transformers' `BertPooler`.
#[derive(Debug, Clone)]
pub struct Pooler {
    /// `d_model -> d_model`.
    pub dense: Linear,
}

impl Pooler {
    /// One vector a text: `[batch, n, d_model] -> [batch, d_model]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](sentiment::EncoderError) if `last_hidden_state` has another
    /// width.
    pub fn forward(&self, last_hidden_state: &Tensor) -> Result<Tensor> {
        let cls = last_hidden_state.i((.., 0))?; // [batch, d_model]
        Ok(self.dense.forward(&cls)?.tanh()?)
    }
}

impl Pooler {
    /// The pooler at `vb`.
    ///
    /// # Errors
    ///
    /// If a tensor is missing or has another shape.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let d_model = config.hidden_size;
        Ok(Self { dense: linear(&vb.pp("dense"), d_model, d_model, WeightInit::BERT)? })
    }
}

/// BERT with a linear layer on what the pooler makes of `[CLS]`: transformers'
/// `BertForSequenceClassification`.
#[derive(Debug, Clone)]
pub struct BertForSequenceClassification {
    /// The tokens' vectors.
    pub bert: BaseModel,
    /// The text's vector.
    pub pooler: Pooler,
    /// `d_model -> labels`.
    pub classifier: Linear,
    /// Before the classifier, while training.
    pub dropout: Dropout,
}

impl BertForSequenceClassification {
    /// A number for each label, for each text.
    pub fn forward(
        &self,
        batch: &Batch,
        options: ForwardOptions,
    ) -> Result<ClassifierOutput> {
        let encoder = self.bert.forward(batch, options)?;
        let pooled = self.pooler.forward(&encoder.last_hidden_state)?;
        let pooled = self.dropout.forward(&pooled, options.dropout)?; // [batch, d_model]
        let logits = self.classifier.forward(&pooled)?; // [batch, labels]
        Ok(ClassifierOutput { logits, encoder })
    }
}

impl BertForSequenceClassification {
    /// The model at `vb`: `bert` and `classifier`.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (d_model, labels) = (config.hidden_size, config.num_labels());
        Ok(Self {
            bert: BaseModel::load(&vb.pp("bert"), config)?,
            pooler: Pooler::load(&vb.pp("bert.pooler"), config)?,
            classifier: linear(
                &vb.pp("classifier"),
                d_model,
                labels,
                WeightInit::BERT,
            )?,
            dropout: Dropout::new(config.classifier_dropout)?,
        })
    }
}
