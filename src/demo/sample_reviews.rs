//! The invented reviews of the demo: enough that every rule has something to do, and some that try to be more than
//! a review.

/// One review.
#[derive(Debug)]
pub(super) struct SampleReview {
    /// The last two digits of the sandbox's source.
    pub(super) source: &'static str,
    /// Who wrote it; empty for an anonymous customer.
    pub(super) author: &'static str,
    /// The rating as the platform gives it: a number, or a word.
    pub(super) rating: &'static str,
    /// Its text; empty for a rating alone.
    pub(super) text: &'static str,
    /// Its locale.
    pub(super) language: &'static str,
    /// What the customer changes it to once the shop has helped: rating and text.
    pub(super) later: Option<(&'static str, &'static str)>,
}

macro_rules! samples {
    ($($source:literal $language:literal $rating:literal $author:literal: $text:literal $(=> $again:literal $later:literal)?;)*) => {
        &[$(SampleReview {
            source: $source,
            author: $author,
            rating: $rating,
            text: $text,
            language: $language,
            later: samples!(@later $($again $later)?),
        },)*]
    };
    (@later) => { None };
    (@later $again:literal $later:literal) => { Some(($again, $later)) };
}

/// Unread when the demo starts, oldest first.
pub(super) static FIRST: &[SampleReview] = samples! {
    "02" "nl_NL" "10" "Marieke V.": "Voor de derde keer besteld en weer de volgende dag in huis. De wandklok is nog mooier dan op de foto.";
    "06" "de_DE" "5" "Jonas Weber": "Alles bestens: schnelle Lieferung, sorgfältig verpackt, sehr freundlicher Kontakt.";
    "11" "en_GB" "4" "Priya S.": "Lovely lamp and a fair price. Delivery took two days longer than promised, hence four stars.";
    "01" "nl_NL" "1" "Sander de Boer": "Pakket kapot aangekomen en na drie mails nog steeds geen reactie. Ik wil gewoon mijn geld terug."
        => "5" "Update: gisteren gebeld door Fatima, vandaag een nieuwe lamp ontvangen. Zo los je het op!";
    "07" "de_DE" "5" "": "";
    "03" "nl_NL" "9" "Ineke": "Vriendelijk geholpen aan de telefoon, echt meegedacht.";
    "10" "en_GB" "5" "Tom H.": "Ordered before lunch, arrived the next morning, fits perfectly. Will be back.";
    "08" "de_DE" "negative" "kaufer_77": "Falsche Größe geliefert, Rücksendung soll ich selbst bezahlen.";
    "02" "nl_NL" "3" "anoniem": "Na twee weken nog niets ontvangen. Volgens de site op voorraad, achteraf toch niet leverbaar."
        => "8" "Inmiddels met excuses en een kortingsbon alsnog geleverd. Cijfer aangepast.";
    "05" "nl_NL" "yes" "Lotte B.": "Super leuke winkel, er zat zelfs een handgeschreven kaartje bij!";
    "15" "en_GB" "5" "Amélie R.": "Shipped to three countries without a hitch. Impressed. 👏";
    "01" "nl_NL" "5" "Daan 🌸": "Top!";
};

/// Arrive later, in any order.
pub(super) static MORE: &[SampleReview] = samples! {
    "01" "nl_NL" "2" "Youssef A.": "De koffiemolen hield er na een week al mee op. Aan de telefoon word je van het kastje naar de muur gestuurd."
        => "4" "Na dit bericht netjes opgelost: nieuwe molen, geen gedoe. Vier sterren.";
    "01" "nl_NL" "1" "Willem": "Bezorger heeft het pakket in de regen laten staan, alles doorweekt.";
    "02" "nl_NL" "2" "Karin de Wit": "Verkeerde kleur gestuurd en ruilen duurt inmiddels drie weken."
        => "9" "De juiste kleur is er, mét een bloemetje. Dank jullie wel.";
    "04" "nl_NL" "4" "Peter": "Op zich een mooie fietstas, maar er ontbraken twee onderdelen in de doos.";
    "01" "nl_NL" "1" "": "";
    "01" "nl_NL" "5" "Noor": "Wat een service. Zelfs op zaterdag binnen tien minuten antwoord op mijn vraag.";
    "02" "nl_NL" "10" "Familie Jansen": "Dit is de vierde keer dat we hier bestellen en het gaat altijd goed.";
    "06" "de_DE" "4" "Lena K.": "Schöner Stuhl, nur die Anleitung war etwas knapp.";
    "06" "de_DE" "1" "H. Brandt": "Seit drei Wochen warte ich auf die Erstattung. Niemand antwortet."
        => "5" "Geld ist da, mit ehrlicher Entschuldigung. So geht Kundendienst.";
    "07" "de_DE" "5" "Sabine": "Sehr gute Qualität, gerne wieder!";
    "11" "en_GB" "2" "Gareth": "Two of four chairs arrived scratched. Still waiting for a reply."
        => "5" "Replacement chairs came within the week. Credit where it is due.";
    "10" "en_GB" "5" "Chloe": "Honestly the best customer service I have had this year.";
    "12" "en_GB" "neutral" "fab_finds": "Item fine, postage a bit steep.";
    // Try to be more than a review.
    "01" "nl_NL" "1" "<script>alert(1)</script>": "<script>alert('hi')</script> <img src=x onerror=alert(1)> en nooit antwoord gekregen.";
    "01" "nl_NL" "2" "Sam": "<!channel> <@U12345678> @everyone <https://evil.example|Klik hier> slechte winkel";
    "10" "en_GB" "5" "{{7*7}}": "{{rating}} ${7*7} *bold* _italic_ `code` [Log in](https://evil.example) \u{202E}rats evif";
    "06" "de_DE" "5" "Sam\r\nBcc: everyone@mail.example": "\"}],\"text\":\"<!channel>\" Trotzdem: ein guter Laden.";
    // Not every customer writes from left to right.
    "15" "he_IL" "5" "נועה": "שירות מצוין, המשלוח הגיע תוך יומיים. תודה!";
    "15" "ar" "4" "ليلى": "جودة ممتازة وسعر مناسب، لكن التوصيل تأخر قليلاً.";
    "11" "ja_JP" "5" "さくら": "梱包がとても丁寧で、予定より早く届きました。";
};
