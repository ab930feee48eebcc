//! Languages of Europe that fewer customers write in.

use super::Language;

pub(super) static SPANISH: Language = Language {
    code: "es",
    country: "ES",
    weight: 60,
    good: &[
        "El pedido llegó en {n} días, muy bien embalado.",
        "La {p} es tal y como se ve en las fotos.",
        "¡Atención al cliente de diez!",
        "Repetiré sin duda.",
        "La devolución fue muy sencilla.",
    ],
    mixed: &[
        "Buen producto, pero tardó {n} días más.",
        "La {p} es algo más pequeña de lo esperado.",
        "Correcto sin más.",
    ],
    bad: &[
        "Llevo {n} semanas esperando el reembolso.",
        "La {p} llegó rota.",
        "Nadie contesta los correos.",
        "No lo recomiendo en absoluto.",
    ],
    short_good: &["¡Perfecto!", "Muy rápido", "Genial"],
    short_bad: &["Fatal", "Nunca más"],
    products: &["lámpara", "cafetera", "chaqueta"],
    first_names: &["Lucía", "Javier", "Begoña", "Íñigo", "Carmen"],
    surnames: &["García", "Muñoz", "Fernández", "Ibáñez"],
    space: " ",
};

pub(super) static ITALIAN: Language = Language {
    code: "it",
    country: "IT",
    weight: 60,
    good: &[
        "Spedizione velocissima, in {n} giorni era qui.",
        "La {p} è di ottima qualità.",
        "Assistenza gentile e competente.",
        "Tutto perfetto, lo consiglio.",
    ],
    mixed: &[
        "Prodotto buono, imballo un po' meno.",
        "Ho aspettato {n} giorni in più.",
        "La {p} va bene per il prezzo.",
    ],
    bad: &[
        "Dopo {n} settimane ancora niente.",
        "La {p} è arrivata rotta e nessuno risponde.",
        "Servizio clienti inesistente.",
        "Qualità pessima, soldi buttati.",
    ],
    short_good: &["Ottimo", "Perfetto!", "Tutto ok"],
    short_bad: &["Pessimo", "Deluso"],
    products: &["lampada", "moka", "giacca"],
    first_names: &["Giulia", "Marco", "Niccolò", "Chiara"],
    surnames: &["Rossi", "Russo", "Ferrari", "Bianchi"],
    space: " ",
};

pub(super) static POLISH: Language = Language {
    code: "pl",
    country: "PL",
    weight: 60,
    good: &[
        "Szybka wysyłka, paczka dotarła po {n} dniach.",
        "Produkt zgodny z opisem.",
        "Bardzo miła obsługa.",
        "Polecam z czystym sumieniem!",
    ],
    mixed: &[
        "Towar w porządku, ale opakowanie uszkodzone.",
        "Czekałem {n} dni dłużej.",
        "Za tę cenę może być.",
    ],
    bad: &[
        "Od {n} tygodni czekam na zwrot pieniędzy.",
        "Przyszło uszkodzone, a kontaktu brak.",
        "Zdecydowanie odradzam ten sklep.",
    ],
    short_good: &["Polecam!", "Super", "Wszystko ok"],
    short_bad: &["Porażka", "Nie polecam"],
    products: &["lampa", "kurtka", "zegar"],
    first_names: &["Małgorzata", "Paweł", "Zofia", "Łukasz"],
    surnames: &["Nowak", "Wiśniewska", "Wójcik", "Dąbrowski"],
    space: " ",
};

pub(super) static SWEDISH: Language = Language {
    code: "sv",
    country: "SE",
    weight: 40,
    good: &[
        "Snabb leverans, bara {n} dagar.",
        "Produkten är precis som på bilden.",
        "Trevlig kundtjänst som löste allt direkt.",
    ],
    mixed: &[
        "Bra produkt men leveransen dröjde {n} dagar.",
        "Lite mindre än jag trodde.",
        "Helt okej för priset.",
    ],
    bad: &[
        "Har väntat {n} veckor på pengarna.",
        "Kom trasig och ingen svarar på mejl.",
        "Handlar aldrig här igen.",
    ],
    short_good: &["Toppen!", "Mycket nöjd"],
    short_bad: &["Uselt", "Aldrig igen"],
    products: &["lampa", "jacka", "klocka"],
    first_names: &["Åsa", "Björn", "Elin"],
    surnames: &["Andersson", "Johansson", "Sjöberg"],
    space: " ",
};

pub(super) static DANISH: Language = Language {
    code: "da",
    country: "DK",
    weight: 40,
    good: &[
        "Hurtig levering på {n} dage.",
        "Varen lever helt op til beskrivelsen.",
        "Virkelig god service, tak!",
    ],
    mixed: &["Fin vare, men æsken var trykket.", "Det tog {n} dage længere end lovet.", "Okay til prisen."],
    bad: &["Venter stadig efter {n} uger.", "Ankom i stykker, og ingen svarer.", "Kan ikke anbefales."],
    short_good: &["Super!", "Alt i orden"],
    short_bad: &["Elendigt", "Aldrig mere"],
    products: &["lampe", "jakke", "ur"],
    first_names: &["Søren", "Mette", "Kåre"],
    surnames: &["Jensen", "Nielsen", "Sørensen"],
    space: " ",
};

pub(super) static TURKISH: Language = Language {
    code: "tr",
    country: "TR",
    weight: 30,
    good: &[
        "Kargo çok hızlıydı, {n} günde elimdeydi.",
        "Ürün anlatıldığı gibi çıktı.",
        "İlgili ve nazik bir ekip, teşekkürler.",
    ],
    mixed: &["Ürün güzel ama kutu ezilmişti.", "{n} gün gecikti.", "Fiyatına göre idare eder."],
    bad: &[
        "{n} haftadır paramı iade etmediler.",
        "Kırık geldi, kimse cevap vermiyor.",
        "Kesinlikle tavsiye etmiyorum.",
    ],
    short_good: &["Harika", "Teşekkürler"],
    short_bad: &["Berbat", "Sakın almayın"],
    products: &["lamba", "ceket", "saat"],
    first_names: &["Ayşe", "Çağlar", "İbrahim"],
    surnames: &["Yılmaz", "Şahin", "Öztürk"],
    space: " ",
};
