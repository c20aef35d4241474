//! The cells of chapter 7, in order: `cargo run -p ch07-attention-views --example
//! ch07-walkthrough`.

// The imports serve all cells.
#![allow(unused_imports, clippy::items_after_statements, clippy::too_many_lines)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

// ANCHOR: imports
use attention_views::bert::{OpenModel, QueriesAndKeys};
use attention_views::{
    EncoderDecoder, HeadView, ModelView, NeuronView, Stack, ToStack,
};
use bert_attention::nouns::NOUNS;
use bert_attention::sentences::pairs;
use bert_attention::translation::{NounPair, find_nouns, sentence_end};
use bert_attention::{Ablation, Attentions, AttentionsError, Guess, Head};
use bert_attention::{Batch, MaskedModel, Pretrained, total_variation};
use figures::Heatmap;
use hub::{Encoded, HubOptions, ModelFolder, Truncate};
use ndarray::{Array1, Array2, Axis, s};
use self_attention::numpy::NumpyRandom;
use whole_transformer::words::{ENGLISH, PORTUGUESE, spell};
use whole_transformer::{Activation, LayerOptions, NormOrder};
use whole_transformer::{Options, Prediction, Transformer};
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: model
    let folder: ModelFolder = hub::resolve("bertinho", &HubOptions::from_env())?;
    let model: Pretrained = Pretrained::load(&folder)?;
    let found: Attentions = Attentions::of(
        &model,
        "The cat sat on the mat",
        Some("The cat lay on the rug"),
        Truncate::Error,
    )?;
    println!("{} × {:?}", found.layers(), found.attentions[0].shape());
    println!("{:?}", found.tokens);
    // ANCHOR_END: model

    // ANCHOR: starter
    println!("{:?}", found.token_type_ids);
    let starter: Option<usize> = found.sentence_b_start;
    println!("sentence B begins at {starter:?}");
    // ANCHOR_END: starter

    // ANCHOR: head_view
    HeadView::new(&found.attentions, &found.tokens)?
        .sentence_b_start(starter)
        .heads([8])
        .show()?;
    // ANCHOR_END: head_view

    // ANCHOR: looks
    fn print_looks(
        found: &Attentions,
        (layer, head): (usize, usize),
        which: &[&str],
    ) -> Result<(), AttentionsError> {
        let weights = found.head(layer, head)?; // [n, n]
        println!("{layer}·{head}");
        for (i, token) in found.tokens.iter().enumerate() {
            if !which.contains(&token.as_str()) {
                continue;
            }
            let row = weights.row(i);
            let mut order: Vec<usize> = (0..row.len()).collect();
            order.sort_by(|&a, &b| row[b].total_cmp(&row[a])); // the largest first
            print!("{i:4} {token:<7}→");
            for &j in &order[..3] {
                print!("  {j:2} {:<7}{:.3}", found.tokens[j], row[j]);
            }
            println!();
        }
        Ok(())
    }
    print_looks(&found, (0, 8), &["cat", "sat", "lay", "mat", "rug"])?;
    // ANCHOR_END: looks

    // ANCHOR: shares
    fn shares(weights: &Array2<f64>, starter: usize) -> [f64; 4] {
        let (a, b) = weights.view().split_at(Axis(0), starter); // who looks
        let (aa, ab) = a.split_at(Axis(1), starter); // who is looked at
        let (ba, bb) = b.split_at(Axis(1), starter);
        [aa, ab, bb, ba].map(|part| part.sum() / part.nrows() as f64)
    }
    fn print_shares(
        found: &Attentions,
        heads: &[(usize, usize)],
    ) -> Result<(), AttentionsError> {
        let (n, starter) = (found.tokens.len(), found.sentence_b_start.unwrap_or(0));
        println!("           A → A   A → B   B → B   B → A");
        for &(layer, head) in heads {
            let [aa, ab, bb, ba] = shares(&found.head(layer, head)?, starter);
            let name = format!("{layer}·{head}");
            println!("{name:<8}   {aa:.3}   {ab:.3}   {bb:.3}   {ba:.3}");
        }
        let [aa, ab, bb, ba] =
            shares(&Array2::from_elem((n, n), 1.0 / n as f64), starter);
        println!("{:<8}   {aa:.3}   {ab:.3}   {bb:.3}   {ba:.3}", "uniform");
        Ok(())
    }
    print_shares(&found, &[(0, 8)])?;
    // ANCHOR_END: shares

    // ANCHOR: across
    let n: usize = found.tokens.len();
    let b: usize = starter.unwrap_or(n);
    let mut across: Vec<(f64, usize, usize)> = Vec::new();
    for layer in 0..found.layers() {
        for head in 0..found.heads()? {
            let weights = found.head(layer, head)?; // [n, n]
            let [_, ab, _, ba] = shares(&weights, b);
            across.push((
                (ab * b as f64 + ba * (n - b) as f64) / n as f64,
                layer,
                head,
            ));
        }
    }
    across.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (share, layer, head) in &across[..4] {
        println!("{layer:2}·{head:<2}  {share:.3}");
    }
    let over: usize = across.iter().filter(|(share, ..)| *share > 0.5).count();
    println!("over half in {over} of {} heads", across.len());
    println!("uniform {:.3}", (2 * b * (n - b)) as f64 / (n * n) as f64);
    print_looks(&found, (1, 1), &["cat", "sat", "lay", "mat", "rug"])?;
    // ANCHOR_END: across

    // ANCHOR: aligned
    print_shares(&found, &[(1, 11)])?;
    print_looks(&found, (1, 11), &["cat", "sat", "lay", "mat", "rug"])?;
    // ANCHOR_END: aligned

    // ANCHOR: period
    let stopped: Attentions = Attentions::of(
        &model,
        "The cat sat on the mat.",
        Some("The cat lay on the rug."),
        Truncate::Error,
    )?;
    print_looks(&stopped, (1, 11), &["mat", "rug"])?;
    // ANCHOR_END: period

    // ANCHOR: endings
    let english_first: Vec<(&str, &str)> = pairs()
        .into_iter()
        .map(|(portuguese, english)| (english, portuguese))
        .collect();
    println!("nouns that find their translation    at the end    elsewhere");
    for (name, stop) in [("with periods", true), ("without", false)] {
        let end = sentence_end(&model, &english_first, (1, 11), true, stop)?;
        print!("{name:<34} {:5} of {}", end.last, end.lasts);
        println!("   {:3} of {}", end.elsewhere, end.others);
    }
    // ANCHOR_END: endings

    // ANCHOR: portuguese
    let cats: Attentions = Attentions::of(
        &model,
        "O gato sentou no tapete.",
        Some("O gato dormiu na cama."),
        Truncate::Error,
    )?;
    HeadView::new(&cats.attentions, &cats.tokens)?
        .sentence_b_start(cats.sentence_b_start)
        .include_layers([0, 1])
        .layer(1)
        .heads([11])
        .show()?;
    // ANCHOR_END: portuguese

    // ANCHOR: portuguese_looks
    let words: [&str; 7] = ["gato", "sentou", "dormiu", "no", "na", "tapete", "cama"];
    print_looks(&cats, (1, 11), &words)?;
    // ANCHOR_END: portuguese_looks

    // ANCHOR: translation
    let both: Attentions = Attentions::of(
        &model,
        "O gato preto dormiu na cama.",
        Some("The black cat slept on the bed."),
        Truncate::Error,
    )?;
    HeadView::new(&both.attentions, &both.tokens)?
        .sentence_b_start(both.sentence_b_start)
        .include_layers([1])
        .heads([11])
        .show()?;
    // ANCHOR_END: translation

    // ANCHOR: translation_looks
    let words: [&str; 8] =
        ["gato", "preto", "dormiu", "cama", "black", "cat", "slept", "bed"];
    print_looks(&both, (1, 11), &words)?;
    // ANCHOR_END: translation_looks

    // ANCHOR: model_view
    ModelView::new(&found.attentions, &found.tokens)?
        .sentence_b_start(starter)
        .show()?;
    // ANCHOR_END: model_view

    // ANCHOR: specials
    let special: Vec<usize> =
        (0..n).filter(|&i| found.tokens[i].starts_with('[')).collect();
    let mut to_special: Vec<(f64, usize, usize)> = Vec::new();
    for layer in 0..found.layers() {
        for head in 0..found.heads()? {
            let columns = found.head(layer, head)?.select(Axis(1), &special); // [n, 3]
            to_special.push((columns.sum() / n as f64, layer, head));
        }
    }
    println!("uniform: {:.1}", special.len() as f64 / n as f64);
    for least in [0.5, 0.9] {
        let heads = to_special.iter().filter(|(share, ..)| *share > least).count();
        println!("over {least} to [CLS] and [SEP]: {heads} of {}", to_special.len());
    }
    let mut to_the_end: usize = 0; // heads whose A → B goes mostly to the last [SEP]
    for &(_, layer, head) in &to_special {
        let weights = found.head(layer, head)?; // [n, n]
        let ab = weights.slice(s![..b, b..]); // [b, n − b]
        to_the_end += usize::from(ab.column(n - b - 1).sum() > ab.sum() / 2.0);
    }
    println!("A → B, over half of it to the last [SEP]: {to_the_end}");
    // ANCHOR_END: specials

    // ANCHOR: open
    let open: OpenModel = OpenModel::load(&folder)?;
    let inside: QueriesAndKeys =
        open.open("O gato dormiu.", Some("The cat slept."), Truncate::Error)?;
    let queries: Stack = inside.queries.to_stack("queries")?;
    let keys: Stack = inside.keys.to_stack("keys")?;
    println!("queries {:?}", queries.shape()); // [layers, heads, n, d_k]
    // ANCHOR_END: open

    // ANCHOR: neuron_view
    NeuronView::new(&inside.attentions, &queries, &keys, &inside.attentions.tokens)?
        .sentence_b_start(inside.attentions.sentence_b_start)
        .include_layers([1])
        .head(11)
        .show()?;
    // ANCHOR_END: neuron_view

    // ANCHOR: products
    fn vector(
        stack: &Stack,
        (layer, head): (usize, usize),
        token: usize,
    ) -> Array1<f64> {
        let matrix = stack.head(layer, head).unwrap_or_default();
        let row = matrix.chunks(stack.columns).nth(token).unwrap_or_default();
        row.iter().copied().map(f64::from).collect() // [d_k]
    }
    let query: Array1<f64> = vector(&queries, (1, 11), 2); // gato
    let products: Vec<Array1<f64>> = [3, 7, 8] // dormiu, cat, slept
        .iter()
        .map(|&token| &query * &vector(&keys, (1, 11), token)) // [d_k]
        .collect();
    println!("gato ×   dormiu      cat    slept");
    for k in 0..query.len() {
        print!("{k:6}");
        for product in &products {
            print!(" {:8.1}", product[k]);
        }
        println!();
    }
    print!("score ");
    for product in &products {
        print!(" {:8.2}", product.sum() / (product.len() as f64).sqrt());
    }
    println!();
    // ANCHOR_END: products

    // ANCHOR: softmax
    let scores: Array1<f64> = (0..keys.rows)
        .map(|j| query.dot(&vector(&keys, (1, 11), j)) / (query.len() as f64).sqrt())
        .collect(); // [n]
    let exponents: Array1<f64> = (&scores - scores[7]).exp();
    let weights: Array1<f64> = &exponents / exponents.sum();
    let recorded: Array1<f64> = inside.attentions.head(1, 11)?.row(2).to_owned();
    let mut order: Vec<usize> = (0..keys.rows).collect();
    order.sort_by(|&i, &j| scores[j].total_cmp(&scores[i])); // the largest first
    for &j in &order[..3] {
        let token = &inside.attentions.tokens[j];
        println!(
            "gato → {:<6} score {:5.2}, weight {:.5}",
            token, scores[j], weights[j]
        );
    }
    println!("as recorded: {}", (&weights - &recorded).abs().sum() < 1e-5);
    // ANCHOR_END: softmax

    // ANCHOR: transformer
    let layer: LayerOptions = LayerOptions {
        d_model: 16,
        heads: 4,
        d_ff: 64,
        activation: Activation::Relu,
        order: NormOrder::Pre,
    };
    let options: Options = Options {
        source_vocabulary: PORTUGUESE.len(),
        target_vocabulary: ENGLISH.len(),
        layers: 2,
        layer,
        padding: Some(0),
    };
    let random: Transformer = Transformer::random(&mut NumpyRandom::seed(4), &options)?;
    let (read, written): ([usize; 5], [usize; 7]) =
        ([1, 2, 3, 4, 5], [0, 2, 3, 4, 5, 2, 6]);
    let prediction: Prediction = random.forward(&read, &written)?;
    // ANCHOR_END: transformer

    // ANCHOR: encoder_decoder
    HeadView::encoder_decoder(EncoderDecoder::from_records(
        spell(&PORTUGUESE, &read),
        spell(&ENGLISH, &written),
        &prediction.attentions,
    )?)
    .heads([0])
    .show()?;
    // ANCHOR_END: encoder_decoder

    // ANCHOR: thin
    println!("lines under 0.1      of them   their share of the attention");
    for (layer, head) in [(0, 8), (1, 11)] {
        let weights = found.head(layer, head)?; // [n, n]
        let thin: Vec<f64> = weights.iter().copied().filter(|&w| w < 0.1).collect();
        let share = thin.iter().sum::<f64>() / n as f64;
        let name = format!("{layer}·{head}");
        println!("{name:<17} {:4} of {}   {share:.3}", thin.len(), n * n);
    }
    println!("uniform           {:4} of {}   1.000", n * n, n * n);
    // ANCHOR_END: thin

    // ANCHOR: picked
    fn first(row: &Array1<f64>) -> usize {
        (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
    }
    let mut heads: Vec<Vec<String>> = vec![Vec::new(); n * n]; // for each two tokens
    for &(_, layer, head) in &across {
        for (from, row) in found.head(layer, head)?.rows().into_iter().enumerate() {
            let to = first(&row.to_owned());
            heads[from * n + to].push(format!("{layer}·{head}"));
        }
    }
    let pairs: [(usize, usize); 3] = [(2, 9), (3, 10), (6, 13)];
    for (from, to) in pairs {
        let (found, names) = (&heads[from * n + to], &found.tokens);
        println!(
            "{} → {}: first choice of {} heads",
            names[from],
            names[to],
            found.len()
        );
        println!("    {}", found.join(", "));
    }
    println!(
        "blind heads: {:.1} of {}\n",
        across.len() as f64 / n as f64,
        across.len()
    );
    println!("heads whose first choice is    cat   lay   rug");
    for from in 1..b - 1 {
        print!("{:>26} ", found.tokens[from]);
        for (_, to) in pairs {
            print!("{:6}", heads[from * n + to].len());
        }
        println!();
    }
    // ANCHOR_END: picked

    // ANCHOR: hidden
    let masked: MaskedModel = MaskedModel::load(&folder)?;
    let pair: Encoded = masked.model.tokenizer.encode(
        "O gato dormiu na cama.",
        Some("The cat slept on the bed."),
        Truncate::Error,
    )?;
    let gato: Ablation = Ablation::of(&masked, pair, 2)?;
    println!("{}", gato.text.tokens.join(" "));
    let translator: Head = Head { layer: 1, head: 11 };
    let without: Vec<f32> = gato.without(&masked, &[translator])?;
    for (name, guess) in [("whole", &gato.whole), ("without 1·11", &without)] {
        println!("{name}");
        for Guess { piece, probability } in masked.likeliest(guess, 3) {
            println!("    {probability:.3}  {piece}");
        }
    }
    let cat: usize = 9;
    println!(
        "1·11 from [MASK] to {}: {:.3}",
        gato.text.tokens[cat],
        gato.looks[[1, 11, cat]]
    );
    println!("the guess changes by {:.3}", total_variation(&gato.whole, &without));
    // ANCHOR_END: hidden

    // ANCHOR: each_head
    let changes: Array2<f64> = gato.changes(&masked)?; // [layers, heads]
    Heatmap::new(&changes)
        .row_title(("camada", "layer"))
        .column_title("head")
        .annotate(false)
        .title((
            "Quanto o palpite muda sem cada head",
            "How much the guess changes without each head",
        ))
        .draw()?
        .show()?;
    // ANCHOR_END: each_head

    // ANCHOR: most
    println!("head     change   from [MASK] to cat");
    let mut order: Vec<((usize, usize), f64)> =
        changes.indexed_iter().map(|(at, &change)| (at, change)).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    for &((layer, head), change) in &order[..5] {
        let look = gato.looks[[layer, head, cat]];
        println!("{:<8} {change:.3}    {look:.3}", format!("{layer}·{head}"));
    }
    println!("median   {:.4}", order[order.len() / 2].1);
    let worst: Head = Head { layer: order[0].0.0, head: order[0].0.1 };
    let left: Vec<f32> = gato.without(&masked, &[worst])?;
    println!(
        "gato without the first: {:.3}",
        masked.likeliest(&left, 1)[0].probability
    );
    // ANCHOR_END: most

    // ANCHOR: nouns
    let all: Vec<NounPair> =
        find_nouns(&masked.model.tokenizer, &english_first, &NOUNS)?;
    let nouns: Vec<NounPair> = all.iter().step_by(8).cloned().collect();
    let mut hidden: Vec<Ablation> = Vec::new();
    for noun in &nouns {
        hidden.push(Ablation::of(&masked, noun.text.clone(), noun.portuguese)?);
    }
    let mut looks: Array2<f64> = Array2::zeros(changes.dim()); // [layers, heads]
    for (one, noun) in hidden.iter().zip(&nouns) {
        looks += &one.looks.slice(s![.., .., noun.english]);
    }
    looks /= hidden.len() as f64;
    let mut lookers: Vec<Head> =
        looks.indexed_iter().map(|((layer, head), _)| Head { layer, head }).collect();
    lookers
        .sort_by(|a, b| looks[[b.layer, b.head]].total_cmp(&looks[[a.layer, a.head]]));
    println!("{} of {} nouns hidden", nouns.len(), all.len());
    println!(
        "from [MASK] to the translation, the mean of all heads {:.3}",
        looks.mean().unwrap_or(f64::NAN)
    );
    for heads in lookers[..16].chunks(8) {
        for head in heads {
            print!(
                "  {}·{} {:.2}",
                head.layer,
                head.head,
                looks[[head.layer, head.head]]
            );
        }
        println!();
    }
    // ANCHOR_END: nouns

    // ANCHOR: lost
    /// What another guess loses, in nats for each hidden noun, and how many of the nouns
    /// are still the first guess.
    fn lost(
        hidden: &[Ablation],
        nouns: &[NounPair],
        guess: impl Fn(&Ablation, &NounPair) -> Result<Vec<f32>, AttentionsError>,
    ) -> Result<(Vec<f64>, usize), AttentionsError> {
        let (mut nats, mut first) = (Vec::new(), 0);
        for (one, noun) in hidden.iter().zip(nouns) {
            let id = noun.text.ids[noun.portuguese] as usize;
            let other = guess(one, noun)?;
            nats.push(f64::from(one.whole[id] / other[id]).ln());
            first += usize::from(other.iter().all(|&p| p <= other[id]));
        }
        Ok((nats, first))
    }
    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }
    // ANCHOR_END: lost

    // ANCHOR: effects
    println!("head    looks at it   nats lost        first guess");
    let still: usize = lost(&hidden, &nouns, |one, _| Ok(one.whole.clone()))?.1;
    println!("none out                0               {still} of {}", nouns.len());
    let previous: Head = Head { layer: 0, head: 7 };
    for head in lookers.iter().take(4).chain([&previous]) {
        let without = |one: &Ablation, _: &NounPair| one.without(&masked, &[*head]);
        let (nats, first) = lost(&hidden, &nouns, without)?;
        let (n, mean) = (nats.len() as f64, mean(&nats));
        let spread = nats.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let half = 1.96 * (spread / n).sqrt();
        let (layer, head) = (head.layer, head.head);
        print!("{:<7} {:.3}", format!("{layer}·{head}"), looks[[layer, head]]);
        println!("         {mean:6.3} ± {half:.3}   {first} of {}", nats.len());
    }
    // ANCHOR_END: effects

    // ANCHOR: alone
    /// The guess of the Portuguese sentence alone, without some heads.
    fn alone(
        model: &MaskedModel,
        one: &Ablation,
        noun: &NounPair,
        removed: &[Head],
    ) -> Result<Vec<f32>, AttentionsError> {
        let (ids, second) = (&one.text.ids, noun.second);
        let (ids, place) = if noun.portuguese < second {
            (ids[..second].to_vec(), noun.portuguese)
        } else {
            // [CLS], and the second sentence
            ([&ids[..1], &ids[second..]].concat(), 1 + noun.portuguese - second)
        };
        let (batch, encoder) = (Batch::new(&[ids], None, None)?, &model.model.encoder);
        let x = encoder.embed(&batch)?; // [1, n, d_model]
        let read = encoder.forward_from(0, &x, &batch, &[removed.to_vec()])?;
        Ok(model.guess_from(&read.last_hidden_state, place)?.concat())
    }
    let alone_lost: (Vec<f64>, usize) =
        lost(&hidden, &nouns, |one, noun| alone(&masked, one, noun, &[]))?;
    println!(
        "without the English sentence: {:.3} nats lost, {} of {}",
        mean(&alone_lost.0),
        alone_lost.1,
        nouns.len()
    );
    // ANCHOR_END: alone

    // ANCHOR: drawn
    /// As many heads of each layer as `lookers[..count]` has there, drawn from the others.
    fn drawn(lookers: &[Head], count: usize, chance: &mut NumpyRandom) -> Vec<Head> {
        let (mut drawn, mut others) = (Vec::new(), lookers[count..].to_vec());
        for looker in &lookers[..count] {
            let same = |i: &usize| others[*i].layer == looker.layer;
            let places: Vec<usize> = (0..others.len()).filter(same).collect();
            let i = (chance.next_f64() * places.len() as f64) as usize;
            drawn.push(others.swap_remove(places[i]));
        }
        drawn
    }
    // ANCHOR_END: drawn

    // ANCHOR: eight
    fn remove(
        name: &str,
        heads: &[Head],
        model: &MaskedModel,
        (hidden, nouns): (&[Ablation], &[NounPair]),
    ) -> Result<(), AttentionsError> {
        let (nats, first) = lost(hidden, nouns, |one, _| one.without(model, heads))?;
        let (count, mean) = (heads.len(), mean(&nats));
        println!("{count:2} {name:<14}   {mean:6.3}      {first:2} of {}", nats.len());
        Ok(())
    }
    let mut chance: NumpyRandom = NumpyRandom::seed(42);
    let eight: Vec<Head> = drawn(&lookers, 8, &mut chance);
    println!("heads removed       nats lost   first guess");
    remove("that look most", &lookers[..8], &masked, (&hidden, &nouns))?;
    remove("drawn", &eight, &masked, (&hidden, &nouns))?;
    // ANCHOR_END: eight

    // ANCHOR: sixteen
    let sixteen: Vec<Head> = drawn(&lookers, 16, &mut chance);
    println!("heads removed       nats lost   first guess");
    remove("that look most", &lookers[..16], &masked, (&hidden, &nouns))?;
    remove("drawn", &sixteen, &masked, (&hidden, &nouns))?;
    // ANCHOR_END: sixteen

    // ANCHOR: both
    let both_lost: (Vec<f64>, usize) =
        lost(&hidden, &nouns, |one, noun| alone(&masked, one, noun, &lookers[..16]))?;
    println!(
        "without the English sentence and the 16: {:.3} nats lost, {} of {}",
        mean(&both_lost.0),
        both_lost.1,
        nouns.len()
    );
    // ANCHOR_END: both

    // ANCHOR: save
    let path: std::path::PathBuf = std::env::temp_dir().join("gato.html");
    HeadView::new(&cats.attentions, &cats.tokens)?.save(&path)?;
    let page: String = std::fs::read_to_string(&path)?;
    println!("{} kB", page.len() / 1000);
    let ways: [&str; 5] =
        ["src=\"http", "href=\"http", "url(http", "fetch(", "import("];
    let asked: usize = ways.iter().map(|way| page.matches(way).count()).sum();
    println!("addresses to fetch: {asked}");
    // ANCHOR_END: save

    // ANCHOR: data
    let small: Stack = Stack::new([1, 1, 2, 2], vec![0.25, 0.75, 0.5, 0.5])?;
    let names: [&str; 2] = ["<b>", "</script><script>alert(1)</script>"];
    let view: HeadView = HeadView::new(&small, names)?;
    println!("{}", view.bertviz_json()?.replace(",\"", ",\n\""));
    // ANCHOR_END: data

    // ANCHOR: escaped
    let html: String = view.html()?;
    let start: usize = html.find("{\"view\"").ok_or("no data")?;
    let length: usize = html[start..].find('\n').ok_or("no end")?;
    println!("{}", html[start..start + length].replace(",\"", ",\n\""));
    println!("the token as such: {}", html.contains(names[1]));
    // ANCHOR_END: escaped

    Ok(())
}
