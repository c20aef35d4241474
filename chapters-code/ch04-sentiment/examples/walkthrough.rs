//! The cells of chapter 4, in order: `cargo run -p ch04-sentiment --example ch04-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use std::collections::HashSet;

use figures::{BarChart, Heatmap, LineChart};
use ndarray::Array2;
use sentiment::attribution::*;
use sentiment::calibration::*;
use sentiment::sentences::*;
use sentiment::statistics::*;
use sentiment::vectors::*;
use sentiment::wordpiece::*;
use sentiment::*;
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: pipeline
    let folder: ModelFolder = resolve("bertinho-sentiment", &HubOptions::from_env())?;
    let pipeline: SentimentPipeline = SentimentPipeline::load(&folder)?;
    // ANCHOR_END: pipeline

    // ANCHOR: classify
    const NOTES: [&str; 2] = [
        "I love this new movie, it's fantastic!",
        "The service was terrible from start to finish.",
    ];
    for found in pipeline.classify(&NOTES, Truncate::Error)? {
        println!("{} {:.4}  {}", found.label, found.score, found.text);
    }
    // ANCHOR_END: classify

    // ANCHOR: config
    let config: Config = folder.config()?;
    println!("layers     {}", config.num_hidden_layers);
    println!("heads      {}", config.num_attention_heads);
    println!("d_model    {}", config.hidden_size);
    println!("d_ff       {}", config.intermediate_size);
    println!("vocabulary {}", config.vocab_size);
    println!("labels     {:?}", config.id2label);
    // ANCHOR_END: config

    // ANCHOR: by_hand
    let vocabulary: HashSet<String> = all_pieces(&pipeline.model.tokenizer);
    for (rest, word_begins) in [("fantastic", true), ("tic", false)] {
        for piece in candidates(rest, word_begins) {
            let found = vocabulary.contains(&piece);
            println!("{} {piece}", if found { "✓" } else { "·" });
            if found {
                break;
            }
        }
    }
    println!("{:?}", wordpiece("fantastic", &vocabulary));
    // ANCHOR_END: by_hand

    // ANCHOR: more_words
    for word in ["terrible", "TERRIBLE", "unforgettable", "maravilhosamente", "日本"]
    {
        println!("{word}: {}", wordpiece(word, &vocabulary).join(" "));
    }
    // ANCHOR_END: more_words

    // ANCHOR: encode
    let encoded: Encoded =
        pipeline.model.tokenizer.encode(NOTES[0], None, Truncate::Error)?;
    for (token, id) in encoded.tokens.iter().zip(&encoded.ids) {
        println!("{id:>5}  {token}");
    }
    // ANCHOR_END: encode

    // ANCHOR: embedded
    let model: DistilBertForSequenceClassification =
        DistilBertForSequenceClassification::open(&folder)?;
    let batch: Batch = Batch::from_encoded(std::slice::from_ref(&encoded))?;
    let x: Tensor = model.distilbert.embeddings.forward(&batch, None)?;
    println!("{:?}", x.dims()); // [batch, n, d_model]
    for i in 0..3 {
        println!("{:<6} {} …", encoded.tokens[i], beginning(&x.i((0, i))?, 6)?);
    }
    // ANCHOR_END: embedded

    // ANCHOR: layers
    let mut hidden: Tensor = x.clone(); // [batch, n, d_model]
    println!("before   {} …", beginning(&hidden.i((0, 0))?, 6)?);
    for (i, layer) in model.distilbert.encoder.layers.iter().enumerate() {
        hidden = layer.forward(&hidden, None, None)?.output;
        println!("layer {i}  {} …", beginning(&hidden.i((0, 0))?, 6)?);
    }
    // ANCHOR_END: layers

    // ANCHOR: cls
    fn cls_after_each_layer(
        pipeline: &SentimentPipeline,
        text: &str,
    ) -> Result<Vec<Vec<f32>>, EncoderError> {
        let encoded = pipeline.model.tokenizer.encode(text, None, Truncate::Error)?;
        let run =
            ForwardOptions { output_hidden_states: true, ..ForwardOptions::default() };
        let batch = Batch::from_encoded(&[encoded])?;
        let found = pipeline.model.encoder.forward(&batch, run)?;
        let states = found.hidden_states.unwrap_or_default(); // [1, n, d_model] each
        states.iter().map(|state| Ok(state.i((0, 0))?.to_vec1()?)).collect() // [d_model]
    }
    const ALSO_PRAISE: &str = "The actors are brilliant and the music is beautiful.";
    let praise: Vec<Vec<f32>> = cls_after_each_layer(&pipeline, NOTES[0])?;
    let also: Vec<Vec<f32>> = cls_after_each_layer(&pipeline, ALSO_PRAISE)?;
    let blame: Vec<Vec<f32>> = cls_after_each_layer(&pipeline, NOTES[1])?;
    let mut same: Vec<(f64, f64)> = Vec::new();
    let mut opposite: Vec<(f64, f64)> = Vec::new();
    println!("layers  praise, praise  praise, blame");
    for i in 0..praise.len() {
        let alike = cosine(&praise[i], &also[i])?;
        let apart = cosine(&praise[i], &blame[i])?;
        println!("{i:6}  {alike:14.4}  {apart:13.4}");
        same.push((i as f64, alike));
        opposite.push((i as f64, apart));
    }
    // ANCHOR_END: cls

    // ANCHOR: cls_chart
    LineChart::new()
        .title(("O quanto dois [CLS] se parecem", "How alike two [CLS] are"))
        .x_title(("camadas", "layers"))
        .y_title(("cosseno", "cosine"))
        .series(("elogio, elogio", "praise, praise"), &same)
        .series(("elogio, crítica", "praise, blame"), &opposite)
        .draw()?
        .show()?;
    // ANCHOR_END: cls_chart

    // ANCHOR: cls_many
    let mut of_label: Vec<(&str, Vec<Vec<f32>>)> = Vec::new();
    for sentence in &SENTENCES {
        if matches!(sentence.kind, Kind::Plain | Kind::Elsewhere) {
            let states = cls_after_each_layer(&pipeline, sentence.text)?;
            of_label.push((sentence.label(), states));
        }
    }
    println!("layers  same label  other label");
    for layer in 0..praise.len() {
        let (mut sums, mut pairs) = ([0.0; 2], [0.0; 2]); // same, other
        for (i, (label, one)) in of_label.iter().enumerate() {
            for (other_label, other) in &of_label[..i] {
                let which = usize::from(label != other_label);
                sums[which] += cosine(&one[layer], &other[layer])?;
                pairs[which] += 1.0;
            }
        }
        println!("{layer:6}  {:10.4}  {:11.4}", sums[0] / pairs[0], sums[1] / pairs[1]);
    }
    // ANCHOR_END: cls_many

    // ANCHOR: head
    let cls: Tensor = hidden.i((.., 0))?; // [batch, d_model]
    println!("[CLS]  {:?}", cls.dims());
    let logits: Tensor = model.head.forward(&hidden, None)?; // [batch, labels]
    println!("logits {:.4?}", logits.to_vec2::<f32>()?);
    let scores: Tensor = softmax(&logits)?; // [batch, labels]
    println!("scores {:.4?}", scores.to_vec2::<f32>()?);
    let best: usize = scores.i(0)?.argmax(0)?.to_scalar::<u32>()? as usize;
    println!(
        "{} {:.4}",
        config.id2label[best],
        scores.i((0, best))?.to_scalar::<f32>()?
    );
    // ANCHOR_END: head

    // ANCHOR: sigmoid
    let margin: f32 = (logits.i((0, 1))? - logits.i((0, 0))?)?.to_scalar::<f32>()?;
    println!("margin {margin:.4}");
    println!("score of {}: {:.4}", config.id2label[1], 1.0 / (1.0 + (-margin).exp()));
    // ANCHOR_END: sigmoid

    // ANCHOR: padded
    let other: Encoded =
        pipeline.model.tokenizer.encode(NOTES[1], None, Truncate::Error)?;
    let texts: [Vec<u32>; 2] = [encoded.ids.clone(), other.ids.clone()];
    let two: Batch = Batch::padded(&texts, config.pad_token_id)?;
    for row in 0..two.rows() {
        let columns = row * two.n()..(row + 1) * two.n();
        println!("{:?}", &two.ids()[columns.clone()]);
        println!("{:?}", &two.attention_mask()[columns]);
    }
    // ANCHOR_END: padded

    // ANCHOR: together
    let alone: Tensor = pipeline.logits(&Batch::new(&texts[1..], None, None)?)?;
    let together: Tensor = pipeline.logits(&two)?.i(1..)?; // [1, labels]
    let filled: Vec<Vec<u32>> =
        two.ids().chunks_exact(two.n()).map(<[u32]>::to_vec).collect();
    let unmasked: Tensor =
        pipeline.logits(&Batch::new(&filled, None, None)?)?.i(1..)?;
    println!("alone    {:.4?}", alone.to_vec2::<f32>()?);
    println!("together {:.4?}", together.to_vec2::<f32>()?);
    println!("unmasked {:.4?}", unmasked.to_vec2::<f32>()?);
    println!("the same: {}", largest_difference(&alone, &together)? < 1e-4);
    // ANCHOR_END: together

    // ANCHOR: coins
    println!("3 coins: {:?}", hits_by_chance(&[0.5; 3]));
    println!("of 10, 3 or fewer: {:.4}", at_most(3, &[0.5; 10]));
    println!("of 10, 9 or more:  {:.4}", at_least(9, &[0.5; 10]));
    println!("of 20, 6 or fewer: {:.4}", at_most(6, &[0.5; 20]));
    // ANCHOR_END: coins

    // ANCHOR: intervals
    for (right, count) in [(8, 10), (80, 100), (800, 1000)] {
        let (low, high) = wilson(right, count);
        println!("{right:3} of {count:4}: {low:.4} … {high:.4}");
    }
    let (low, high): (f64, f64) = wilson(8, 10);
    for p in [low, high] {
        let deviations = 1.96 * (p * (1.0 - p) / 10.0).sqrt();
        println!("{p:.4} is {:.4} from 0.8; 1.96 σ: {deviations:.4}", (0.8 - p).abs());
    }
    // ANCHOR_END: intervals

    // ANCHOR: coverage
    for share in [0.5, 0.8, 0.9] {
        print!("true share {share}:");
        for count in [10, 100, 1000] {
            let likely = hits_by_chance(&vec![share; count]);
            let holds = |&right: &usize| {
                let (low, high) = wilson(right, count);
                low <= share && share <= high
            };
            let held: f64 = (0..=count).filter(holds).map(|right| likely[right]).sum();
            print!("  {held:.3} of {count}");
        }
        println!();
    }
    // ANCHOR_END: coverage

    // ANCHOR: by_kind
    let texts: Vec<&str> = SENTENCES.iter().map(|sentence| sentence.text).collect();
    let found: Vec<Sentiment> = pipeline.classify(&texts, Truncate::Error)?;
    let mut answers: Vec<Answer> = Vec::new();
    println!("kind        right  95 %             mean score");
    for kind in Kind::ALL {
        let of_kind: Vec<Answer> = SENTENCES
            .iter()
            .zip(&found)
            .filter(|(sentence, _)| sentence.kind == kind)
            .map(|(sentence, found)| Answer {
                score: f64::from(found.score),
                right: found.label == sentence.label(),
            })
            .collect();
        let right = of_kind.iter().filter(|answer| answer.right).count();
        let sum: f64 = of_kind.iter().map(|answer| answer.score).sum();
        let mean = sum / of_kind.len() as f64;
        let kind = format!("{kind:?}");
        let (low, high) = wilson(right, of_kind.len());
        print!("{kind:<10}  {right:2}/{}  {low:.4} … {high:.4}", of_kind.len());
        println!("  {mean:10.4}");
        answers.extend(of_kind);
    }
    // ANCHOR_END: by_kind

    // ANCHOR: mistakes
    let mut wrong: Vec<(Kind, Sentiment)> = Vec::new();
    for (sentence, found) in SENTENCES.iter().zip(&found) {
        if found.label != sentence.label() {
            wrong.push((sentence.kind, found.clone()));
        }
    }
    wrong.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
    for (kind, found) in wrong.iter().take(8) {
        println!("{} {:.4}  {kind:?}: {}", found.label, found.score, found.text);
    }
    // ANCHOR_END: mistakes

    // ANCHOR: negation
    for text in [
        "The film is good.",
        "The film is not good.",
        "The film is bad.",
        "The film is not bad.",
    ] {
        let found = &pipeline.classify(&[text], Truncate::Error)?[0];
        println!("{} {:.4}  {text}", found.label, found.score);
    }
    // ANCHOR_END: negation

    // ANCHOR: inserted
    const ADJECTIVES: [&str; 12] = [
        "good",
        "great",
        "wonderful",
        "beautiful",
        "brilliant",
        "funny", // praise
        "bad",
        "terrible",
        "awful",
        "boring",
        "stupid",
        "ugly", // blame
    ];
    println!("inserted  turned  margin falls by");
    for word in ["not", "never", "very", "really"] {
        let (mut turned, mut falls) = (0, 0.0);
        for adjective in ADJECTIVES {
            let plain = format!("The film is {adjective}.");
            let longer = format!("The film is {word} {adjective}.");
            let found = pipeline.classify(&[&plain, &longer], Truncate::Error)?;
            let [before, after] = [0, 1].map(|i| f64::from(found[i].score));
            let odds = |score: f64| (score / (1.0 - score)).ln(); // the margin
            let other = found[0].label != found[1].label;
            turned += usize::from(other);
            falls += odds(before) - if other { -odds(after) } else { odds(after) };
        }
        println!("{word:<8}  {turned:3}/12  {:15.4}", falls / 12.0);
    }
    // ANCHOR_END: inserted

    // ANCHOR: irony
    for text in [
        "What a great film, two hours of watching paint dry!",
        "Oh great, another remake, exactly what the world needed.",
        "What a great film!",
    ] {
        let found = &pipeline.classify(&[text], Truncate::Error)?[0];
        println!("{} {:.4}  {text}", found.label, found.score);
    }
    // ANCHOR_END: irony

    // ANCHOR: capitals
    let mut cases: Vec<(bool, bool)> = Vec::new(); // right as written, in capitals
    let capitals: Vec<String> = texts.iter().map(|text| text.to_uppercase()).collect();
    let capitals: Vec<&str> = capitals.iter().map(String::as_str).collect();
    let shouted: Vec<Sentiment> = pipeline.classify(&capitals, Truncate::Error)?;
    for ((sentence, as_written), shouted) in SENTENCES.iter().zip(&found).zip(&shouted)
    {
        let label = sentence.label();
        cases.push((as_written.label == label, shouted.label == label));
    }
    println!("right as written:  {}/60", cases.iter().filter(|case| case.0).count());
    println!("right in capitals: {}/60", cases.iter().filter(|case| case.1).count());
    let (written, capitals): (usize, usize) = only_one_right(cases.iter().copied());
    println!("only as written {written}, only in capitals {capitals}");
    println!("sign test: p = {:.4}", sign_test(written, capitals));
    // ANCHOR_END: capitals

    // ANCHOR: sixty
    let right: usize = answers.iter().filter(|answer| answer.right).count();
    let (low, high): (f64, f64) = wilson(right, answers.len());
    let mean: f64 =
        answers.iter().map(|answer| answer.score).sum::<f64>() / answers.len() as f64;
    println!("right      {right}/{}", answers.len());
    println!("accuracy   {:.4}", right as f64 / answers.len() as f64);
    println!("95 % of    {low:.4} … {high:.4}");
    println!("mean score {mean:.4}");
    // ANCHOR_END: sixty

    // ANCHOR: held_out
    let held_out: HeldOut = HeldOut::of_the_book()?;
    let bins: Vec<Bin> = reliability(&answers_at(&held_out.margins, 1.0), 0.5, 10);
    println!("{}", held_out.sentences);
    println!("mean score  accuracy   95 %             sentences");
    for bin in &bins {
        let (low, high) = wilson(bin.right, bin.count);
        print!("{:10.4}  {:8.4}   {low:.4} … {high:.4}", bin.score, bin.accuracy());
        println!("  {:9}", bin.count);
    }
    let (count, right): (usize, usize) = held_out.totals();
    let (low, high): (f64, f64) = wilson(right, count);
    println!("right: {right}/{count} = {:.4}", right as f64 / count as f64);
    println!("95 %: {low:.4} … {high:.4}");
    println!("expected calibration error: {:.4}", calibration_error(&bins));
    let sizes: Vec<f64> = held_out.margins.iter().map(|margin| margin.abs()).collect();
    let nearest: f64 = sizes.iter().copied().fold(f64::INFINITY, f64::min);
    println!("the margin nearest to 0: {nearest:.4}");
    // ANCHOR_END: held_out

    // ANCHOR: reliability_chart
    fn points(bins: &[Bin]) -> Vec<(f64, f64)> {
        bins.iter().map(|bin| (bin.score, bin.accuracy())).collect()
    }
    LineChart::new()
        .title(("Score e acurácia", "Score and accuracy"))
        .x_title(("score médio", "mean score"))
        .y_title(("acurácia", "accuracy"))
        .series(("críticas deixadas de fora", "held out"), &points(&bins))
        .series(
            ("nossas sessenta frases", "our sixty"),
            &points(&reliability(&answers, 0.5, 2)),
        )
        .dashed_series(("calibrado", "calibrated"), &[(0.5, 0.5), (1.0, 1.0)])
        .draw()?
        .show()?;
    // ANCHOR_END: reliability_chart

    // ANCHOR: temperatures
    let half: usize = count / 2;
    println!("   T  −ln p, first half  calibration error, second half");
    for temperature in [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0] {
        let loss = mean_loss_at(&held_out.margins[..half], temperature);
        let answers = answers_at(&held_out.margins[half..], temperature);
        let error = calibration_error(&reliability(&answers, 0.5, 10));
        println!("{temperature:4}  {loss:17.4}  {error:30.4}");
    }
    // What a calibrated model would have by chance: how far its hits are from the score.
    let at_2: Vec<Bin> =
        reliability(&answers_at(&held_out.margins[half..], 2.0), 0.5, 10);
    let mut by_chance: f64 = 0.0;
    for bin in &at_2 {
        let expected = bin.score * bin.count as f64;
        let chances = hits_by_chance(&vec![bin.score; bin.count]);
        let off =
            |(hits, chance): (usize, &f64)| chance * (hits as f64 - expected).abs();
        by_chance += chances.iter().enumerate().map(off).sum::<f64>();
    }
    let answers: usize = at_2.iter().map(|bin| bin.count).sum();
    println!("calibrated, by chance: {:.4}", by_chance / answers as f64);
    // ANCHOR_END: temperatures

    // ANCHOR: left_out
    let left_out: Vec<LeftOut> = leave_one_out(&pipeline, NOTES[0])?;
    println!("without     score  change");
    for LeftOut { word, score, change } in &left_out {
        println!("{word:<10} {score:.4} {change:7.4}");
    }
    // ANCHOR_END: left_out

    // ANCHOR: looking
    let by_word: Vec<Word> = words_of(&encoded);
    let weights: Tensor = last_attention(&pipeline, &batch)?; // [1, heads, n, n]
    let heads: Vec<Vec<f32>> = attention_to_words(&weights, &by_word)?;
    let attention: Vec<f32> = mean_of_heads(&heads); // [words]
    println!("word       attention  even share  first of heads");
    for (i, (word, weight)) in by_word.iter().zip(&attention).enumerate() {
        let even = word.tokens.len() as f64 / encoded.len() as f64;
        let firsts = heads.iter().filter(|head| largest(head) == i).count();
        println!("{:<10} {weight:9.4}  {even:10.4}  {firsts:14}", word.text);
    }
    let rest: f32 = 1.0 - attention.iter().sum::<f32>();
    let even: f64 = 2.0 / encoded.len() as f64;
    println!("the other two {rest:.4}  {even:10.4}"); // [CLS] and [SEP]
    // ANCHOR_END: looking

    // ANCHOR: two_measures
    fn wide(numbers: impl Iterator<Item = f32>) -> Vec<f64> {
        numbers.map(f64::from).collect()
    }
    BarChart::new(by_word.iter().map(|word| &word.text))
        .title(("As mesmas palavras, duas medidas", "The same words, two measures"))
        .series(
            ("atenção de [CLS]", "attention of [CLS]"),
            &wide(attention.iter().copied()),
        )
        .series(
            ("mudança sem ela", "change without it"),
            &wide(left_out.iter().map(|word| word.change)),
        )
        .draw()?
        .show()?;
    // ANCHOR_END: two_measures

    // ANCHOR: heads
    let shape: (usize, usize) = (heads.len(), by_word.len());
    let by_head: Array2<f64> = // [heads, words]
        Array2::from_shape_fn(shape, |(head, word)| f64::from(heads[head][word]));
    Heatmap::new(&by_head)
        .column_labels(by_word.iter().map(|word| &word.text))
        .row_title("head")
        .column_title(("palavra", "word"))
        .range(0.0, 1.0)
        .annotate(false)
        .title(("Para onde [CLS] olha, head a head", "Where [CLS] looks, head by head"))
        .draw()?
        .show()?;
    // ANCHOR_END: heads

    // ANCHOR: four_words
    let four: [usize; 4] = [1, 2, 9, 10]; // love, this, fantastic, !
    let looks: [f32; 4] = four.map(|i| attention[i]);
    let moves: [f32; 4] = four.map(|i| left_out[i].change.abs());
    println!("attention {looks:.4?}, ranks {:?}", ranks(&looks));
    println!("|change|  {moves:.4?}, ranks {:?}", ranks(&moves));
    println!("rank correlation {:.4}", rank_correlation(&looks, &moves));
    // ANCHOR_END: four_words

    // ANCHOR: all_left_out
    let mut changes: Vec<Vec<f32>> = Vec::new(); // of each word of each sentence
    for sentence in SENTENCES.iter().filter(|one| one.kind != Kind::Portuguese) {
        let left_out = leave_one_out(&pipeline, sentence.text)?;
        changes.push(left_out.iter().map(|word| word.change.abs()).collect());
    }
    println!(
        "{} sentences, {} words left out, one at a time",
        changes.len(),
        changes.iter().map(Vec::len).sum::<usize>()
    );
    // ANCHOR_END: all_left_out

    // ANCHOR: agreement
    /// How much `[CLS]` looks at each word: at all its pieces, and at one of them.
    fn attention_of(
        pipeline: &SentimentPipeline,
        text: &str,
    ) -> Result<[Vec<f32>; 2], EncoderError> {
        let encoded = pipeline.model.tokenizer.encode(text, None, Truncate::Error)?;
        let words = words_of(&encoded);
        let weights = last_attention(pipeline, &Batch::from_encoded(&[encoded])?)?;
        let all = mean_of_heads(&attention_to_words(&weights, &words)?);
        let piece = |(all, word): (&f32, &Word)| all / word.tokens.len() as f32;
        let one = all.iter().zip(&words).map(piece).collect();
        Ok([all, one])
    }
    fn agreement(attentions: &[Vec<f32>], changes: &[Vec<f32>]) {
        let pairs = || attentions.iter().zip(changes);
        let mut rhos: Vec<f64> = pairs().map(|(a, b)| rank_correlation(a, b)).collect();
        rhos.sort_by(f64::total_cmp);
        let count = rhos.len();
        let median = f64::midpoint(rhos[(count - 1) / 2], rhos[count / 2]);
        println!("rank correlation: median {median:.4}");
        println!("from {:.4} to {:.4}", rhos[0], rhos[count - 1]);
        let above = rhos.iter().filter(|&&rho| rho > 0.0).count();
        let p = sign_test(above, count - above);
        println!("above 0: {above}/{count}, sign test p = {p:.4}");
        let same = pairs().filter(|(a, b)| largest(a) == largest(b)).count();
        println!("the same word is first: {same}/{count}");
        let chances: Vec<f64> =
            changes.iter().map(|of| 1.0 / of.len() as f64).collect();
        println!("by chance: {:.1}/{count}", chances.iter().sum::<f64>());
        println!("that many or more, by chance: {:.4}", at_least(same, &chances));
    }
    let mut attentions: [Vec<Vec<f32>>; 2] = [vec![], vec![]];
    for sentence in SENTENCES.iter().filter(|one| one.kind != Kind::Portuguese) {
        let of = attention_of(&pipeline, sentence.text)?;
        attentions.iter_mut().zip(of).for_each(|(all, one)| all.push(one));
    }
    println!("all pieces of a word");
    agreement(&attentions[0], &changes);
    println!("\none piece");
    agreement(&attentions[1], &changes);
    // ANCHOR_END: agreement
    Ok(())
}
