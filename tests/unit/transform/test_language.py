"""In which language texts are, and that of which texts none is said."""

import duckdb
import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials

from flows.transform.language import languages_of
from flows.transform.language_plugin import Plugin

SENTENCES = {
    "ar": "أين طلبي؟ كان من المفترض أن يصل أمس",
    "de": "Wo ist mein Paket? Es sollte gestern ankommen.",
    "en": "Where is my parcel? It should have been here yesterday.",
    "es": "¿Dónde está mi paquete? Tenía que llegar ayer.",
    "fr": "Où est mon colis ? Il devait arriver hier.",
    "it": "Dov'è il mio pacco? Doveva arrivare ieri.",
    "ja": "私の荷物はどこですか。昨日届くはずでした。",
    "ko": "제 소포는 어디에 있나요? 어제 도착했어야 합니다.",
    "nl": "Waar is mijn pakket? Het had gisteren moeten aankomen.",
    "pl": "Gdzie jest moja paczka? Miała dotrzeć wczoraj.",
    "pt": "Onde está a minha encomenda? Devia ter chegado ontem.",
    "ru": "Где моя посылка? Она должна была прийти вчера.",
    "tr": "Paketim nerede? Dün gelmesi gerekiyordu.",
    "zh": "我的包裹在哪里? 昨天就应该到了。",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_has_its_language_in_capitals_too(code: str) -> None:
    assert languages_of([SENTENCES[code], SENTENCES[code].upper()]) == [code, code]


@pytest.mark.parametrize("text", ["", " \n", "OK", "12345", "{}", '{"category": 3, "certain": true}', "\ud800", "\x00"])
def test_what_is_no_language_has_none(text: str) -> None:
    assert languages_of([text]) == ["und"]


def test_only_what_is_said_counts_and_not_keys_addresses_or_code() -> None:
    texts = [
        '{"the summary of the request": "Das Paket ist gestern nicht angekommen.", "what should be done next": 1}',
        "Siehe https://example.com/where/is/my/parcel/and/when/will/it/be/here ob es heute ankommt",
        "```\nwhere is the parcel that should have been here\n```\nDas Paket ist nicht angekommen.",
    ]
    assert languages_of(texts) == ["de", "de", "de"]


def test_no_text_has_no_code_and_others_do_not_matter() -> None:
    texts = [SENTENCES["fr"], None, SENTENCES["en"]]
    assert languages_of(texts) == ["fr", None, "en"]
    assert languages_of(texts[::-1]) == ["en", None, "fr"]


def test_a_text_is_read_at_its_beginning_however_long_it_is() -> None:
    assert languages_of([SENTENCES["es"] * 9 + "where is my parcel " * 1_000_000, "```" * 1_000_000]) == ["es", "und"]


def test_sql_knows_the_function_where_an_earlier_connection_left_the_warehouse_open() -> None:
    plugin = Plugin(name="language", plugin_config={}, credentials=DuckDBCredentials())
    with duckdb.connect() as left_open, left_open.cursor() as anew:
        plugin.configure_connection(left_open)
        plugin.configure_connection(anew)
        (found,) = anew.execute("select language_of(?)", [SENTENCES["de"]]).fetchall()
    assert found == ("de",)
