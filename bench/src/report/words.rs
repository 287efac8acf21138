//! The words of the READMEs' tables.

use super::comparison::Row;
use crate::peers::results::Setting;

/// A README's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
}

/// What the rows of the README are called in Spanish.
const SPANISH: [(&str, &str); 23] = [
    ("click to open, p50", "del clic al canal abierto, p50"),
    ("POST to open, p50", "del POST al canal abierto, p50"),
    ("POST to open, p90", "del POST al canal abierto, p90"),
    ("POST to open in round trips of {} ms", "del POST al canal abierto, en idas y vueltas de {} ms"),
    ("round trip 64 B, p50", "ida y vuelta de 64 B, p50"),
    ("round trip 64 B, p99", "ida y vuelta de 64 B, p99"),
    ("server CPU per message", "CPU del servidor por mensaje"),
    ("system calls per message", "llamadas al sistema por mensaje"),
    ("allocations per message", "reservas de memoria por mensaje"),
    ("echo {} KiB", "eco de {} KiB"),
    ("server CPU per MB echoed, {} KiB", "CPU del servidor por MB de eco, {} KiB"),
    ("memory per idle connection", "memoria por conexión ociosa"),
    ("memory kept 2 s after the close, per connection", "memoria retenida 2 s tras el cierre, por conexión"),
    ("from the close of 20 at once until they are gone", "del cierre de 20 a la vez a su desaparición"),
    ("memory grown while {} MiB are echoed, peak", "memoria que crece con un eco de {} MiB, máximo"),
    ("echoed meanwhile, within 20 s", "eco mientras tanto, en 20 s"),
    (
        "memory grown by an echo of {} MiB to who reads late, peak",
        "memoria que crece con un eco de {} MiB a quien lee tarde, máximo",
    ),
    ("new connections", "conexiones nuevas"),
    ("server CPU per connection, 16 at a time", "CPU del servidor por conexión, 16 a la vez"),
    ("native", "nativo"),
    ("Chromium with SNAP", "Chromium con SNAP"),
    ("libwebrtc in Node", "libwebrtc en Node"),
    ("libdatachannel in Node", "libdatachannel en Node"),
];

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// The file.
    pub(super) fn readme(self) -> &'static str {
        match self {
            Self::English => "README.md",
            Self::Spanish => "README.es.md",
        }
    }

    /// A row's name with its unit.
    pub(super) fn label(self, row: &Row) -> String {
        let label = self.word(row.quantity.label).replace("{}", &row.number.to_string());
        if row.quantity.unit.is_empty() { label } else { format!("{label}, {}", row.quantity.unit) }
    }

    /// How many rounds a row has, if not all.
    pub(super) fn rounds(self, setting: &Setting, row: &Row) -> Option<String> {
        let rounds = row.rounds();
        let word = match self {
            Self::English => "round",
            Self::Spanish => "ronda",
        };
        let ending = if rounds == 1 { "" } else { "s" };
        (rounds < setting.rounds as usize).then(|| format!("{rounds} {word}{ending}"))
    }

    pub(super) fn offerer(self, name: &str) -> &str {
        self.word(name)
    }

    /// The last column's name.
    pub(super) fn ratio(self) -> &'static str {
        match self {
            Self::English => "ours to the best other",
            Self::Spanish => "el nuestro, respecto al mejor de los demás",
        }
    }

    /// What a reader of the table has to know.
    pub(super) fn legend(self) -> &'static str {
        match self {
            Self::English => {
                "In parentheses the ratio to the best of the row, which is bold. A dash: it failed, or cannot be measured of that \
                 peer; [the report](bench/report/report.md) says why. libwebrtc, libdatachannel and werift are Node.js \
                 processes, and the CPU time of JavaScript is in theirs; aiortc's has that of Python.\n"
            }
            Self::Spanish => {
                "Entre paréntesis, la razón respecto al mejor de la fila, que está en negrita; tras el nombre, el programa que hace \
                 la oferta. Una raya: falló, o no se puede medir en ese servidor; [el informe](bench/report/report.md), en \
                 inglés, dice por qué. libwebrtc, libdatachannel y werift son procesos de Node.js, cuyo tiempo de CPU incluye \
                 el de JavaScript; el de aiortc, el de Python.\n"
            }
        }
    }

    fn word(self, english: &str) -> &str {
        let translated = SPANISH.iter().find(|(word, _)| self == Self::Spanish && *word == english);
        translated.map_or(english, |(_, spanish)| spanish)
    }
}
