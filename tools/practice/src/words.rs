//! What the command says, in both languages.

use book::workspace::Language;

/// The words of a language.
#[derive(Debug)]
pub struct Words {
    /// Over the bars.
    pub exercises: &'static str,
    /// Behind a count: `3 of 64`.
    pub of: &'static str,
    /// Behind the count of all.
    pub solved: &'static str,
    /// Says that a test passes.
    pub passes: &'static str,
    /// Says that there is no answer yet.
    pub open: &'static str,
    /// Says that a test fails.
    pub fails: &'static str,
    /// Says that the code does not compile.
    pub refused: &'static str,
    /// Says how many errors follow the first.
    pub more_errors: &'static str,
    /// Says that the test still runs after the limit.
    pub endless: &'static str,
    /// Stands before what the check says, which is in English, as all code is.
    pub says: &'static str,
    /// Stands before what the answer printed.
    pub printed: &'static str,
    /// Stands before where the check or the code stopped.
    pub stopped: &'static str,
    /// Stands before the file to open.
    pub file: &'static str,
    /// Stands before the command for a hint.
    pub hint: &'static str,
    /// Stands before the command for the answer.
    pub answer: &'static str,
    /// Stands before the exercise that is next.
    pub next: &'static str,
    /// Says that all are solved.
    pub all_done: &'static str,
    /// Says what the watch waits for.
    pub waiting: &'static str,
    /// Says that what the tests stand on is being compiled.
    pub compiling: &'static str,
    /// Says that the function is no longer the one that the tests call; its shipped form follows.
    pub signature: &'static str,
    /// Says where the full answer is.
    pub in_full: &'static str,
    /// Offers the next hint.
    pub more_hints: &'static str,
    /// Says that there was nothing to reset.
    pub as_shipped: &'static str,
    /// Says that the stub is back; the exercise stands before it.
    pub is_back: &'static str,
    /// Stands before the file that keeps the answer.
    pub kept: &'static str,
    /// The last words of the watch.
    pub goodbye: &'static str,
    /// Between whole and decimal digits.
    pub decimal: &'static str,
}

impl Words {
    /// The words of a language.
    #[must_use]
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::Portuguese => &PORTUGUESE,
            Language::English => &ENGLISH,
        }
    }
}

const PORTUGUESE: Words = Words {
    exercises: "Exercícios",
    of: "de",
    solved: "resolvidos",
    passes: "resolvido",
    open: "Por fazer: o `todo!()` ainda está lá. Troque-o pelo seu código e salve.",
    fails: "ainda não",
    refused: "não compila",
    more_errors: "e mais erros depois deste:",
    endless: "não terminou em 10 s: um laço sem fim?",
    says: "o teste diz, em inglês como todo o código:",
    printed: "o seu código imprimiu:",
    stopped: "parou em",
    file: "arquivo",
    hint: "dica",
    answer: "solução",
    next: "próximo",
    all_done: "Não falta nenhum. Parabéns!",
    waiting: "Salve o arquivo, e o veredito aparece aqui. Ctrl+C termina.",
    compiling: "compilando",
    signature: "O teste chama a função como ela veio, e ela mudou. Ela veio assim:",
    in_full: "no arquivo",
    more_hints: "mais uma",
    as_shipped: "já está como veio: nada mudou",
    is_back: "voltou a ser como veio",
    kept: "a sua resposta está em",
    goodbye: "Até a próxima:",
    decimal: ",",
};

const ENGLISH: Words = Words {
    exercises: "Exercises",
    of: "of",
    solved: "solved",
    passes: "solved",
    open: "To do: its `todo!()` is still there. Replace it with your code and save.",
    fails: "not yet",
    refused: "does not compile",
    more_errors: "and more errors after this one:",
    endless: "did not end in 10 s: a loop without an end?",
    says: "the test says:",
    printed: "your code printed:",
    stopped: "stopped at",
    file: "file",
    hint: "hint",
    answer: "solution",
    next: "next",
    all_done: "None is left. Well done!",
    waiting: "Save the file, and the verdict appears here. Ctrl+C ends.",
    compiling: "compiling",
    signature: "The test calls the function as it came, and it has changed. It came as:",
    in_full: "in the file",
    more_hints: "one more",
    as_shipped: "is as it came: nothing has changed",
    is_back: "is as it came again",
    kept: "your answer is in",
    goodbye: "See you:",
    decimal: ".",
};
