"""The object-path grammar: what both dialects read and print, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidPath
from contracts.paths import (
    MAX_LENGTH,
    MAX_SEGMENTS,
    Key,
    KeyPart,
    ObjectPath,
    Segment,
    parse_path,
    parse_upstream_path,
    print_path,
    print_upstream_path,
    unaddressable,
)


def named(**parts: str) -> Key:
    return Key(tuple(KeyPart(name, value) for name, value in parts.items()))


def path(*segments: str | tuple[str, str | Key]) -> ObjectPath:
    """``path("Equipment")``, ``path(("Department", "01"), "Jobs")``."""
    made = []
    for segment in segments:
        name, key = (segment, None) if isinstance(segment, str) else segment
        made.append(Segment(name, Key.single(key) if isinstance(key, str) else key))
    return ObjectPath(tuple(made))


SAME = [
    ("Equipment", "Equipment", path("Equipment")),
    ("Equipment/00001", "Equipment('00001')", path(("Equipment", "00001"))),
    (
        "Equipment/00001/Department",
        "Equipment('00001')/Department",
        path(("Equipment", "00001"), "Department"),
    ),
    (
        "EquipmentSparePart/Equipment=00001,Article=0191",
        "EquipmentSparePart(Equipment='00001',Article='0191')",
        path(("EquipmentSparePart", named(Equipment="00001", Article="0191"))),
    ),
    (
        "Building/0001/BuildingParts/001/BuildingFloors/CODE01",
        "Building('0001')/BuildingParts('001')/BuildingFloors('CODE01')",
        path(("Building", "0001"), ("BuildingParts", "001"), ("BuildingFloors", "CODE01")),
    ),
    (
        "Building/0001/BuildingParts/Building=0001,Id=001/BuildingFloors",
        "Building('0001')/BuildingParts(Building='0001',Id='001')/BuildingFloors",
        path(("Building", "0001"), ("BuildingParts", named(Building="0001", Id="001")), "BuildingFloors"),
    ),
    (
        "Equipment/ExternalId=4711,DataProvider=erp",
        "Equipment(ExternalId='4711',DataProvider='erp')",
        path(("Equipment", named(ExternalId="4711", DataProvider="erp"))),
    ),
    ("_MyEntity/01", "_MyEntity('01')", path(("_MyEntity", "01"))),
    ("Building/01%2F02", "Building('01%2F02')", path(("Building", "01/02"))),
    ("Building/50%25", "Building('50%25')", path(("Building", "50%"))),
    ("Building/a%3Db%2Cc", "Building('a%3Db%2Cc')", path(("Building", "a=b,c"))),
    ("Building/O%27Brien", "Building('O%27%27Brien')", path(("Building", "O'Brien"))),
    ("Building/%C3%A9%20%2B", "Building('%C3%A9%20%2B')", path(("Building", "é +"))),
    ("Building/%2E%2E/Jobs", "Building('..')/Jobs", path(("Building", ".."), "Jobs")),
    ("Building/Id=..", "Building(Id='..')", path(("Building", named(Id="..")))),
    ("Building/a-b._~", "Building('a-b._~')", path(("Building", "a-b._~"))),
]


@pytest.mark.parametrize(("normalized", "upstream", "expected"), SAME)
def test_both_dialects_state_the_same_path(normalized: str, upstream: str, expected: ObjectPath) -> None:
    assert parse_path(normalized) == expected
    assert parse_upstream_path(upstream) == expected
    assert print_path(expected) == normalized
    assert print_upstream_path(expected) == upstream


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("Equipment/", "Equipment"),
        ("Department/01/Jobs/", "Department/01/Jobs"),
        ("Building/..", "Building/%2E%2E"),
        ("Building/%2e", "Building/%2E"),
        ("Building/é", "Building/%C3%A9"),
        ("Building/a b'c", "Building/a%20b%27c"),
        ("Building/%41", "Building/A"),
        ("Equipmen%74/1", "Equipment/1"),
    ],
)
def test_other_spellings_of_a_path_are_read(raw: str, canonical: str) -> None:
    assert print_path(parse_path(raw)) == canonical


def test_an_escape_is_decoded_once() -> None:
    assert parse_path("Building/a%252Fb").last.key == Key.single("a%2Fb")


def test_a_plus_is_a_plus() -> None:
    assert parse_path("Building/a+b").last.key == Key.single("a+b")


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        ("", "begins with the name of an entity"),
        ("/Equipment", "no slash before it"),
        ("Equipment/1/", "is empty"),
        ("Equipment//Jobs", "%2F"),
        ("Equipment/01/02", "%2F"),
        ("Equipment/Id=", "is empty"),
        ("Equipment/a,b", "Building=0001,Id=001"),
        ("Equipment/Building=1,b", "%2C"),
        ("Equipment/Id=a=b", "%3D"),
        ("Equipment/=1", "no name"),
        ("Equipment/a%3Db=1", "no name"),
        ("Equipment/Id=1,ID=2", "twice"),
        ("Equipment/1?upsert=true", "%3F"),
        ("Equipment/1#x", "%23"),
        ("Equipment/100%", "%25"),
        ("Equipment/%zz", "%25"),
        ("Equipment/%C3", "UTF-8"),
        ("Equipment/%C0%AF", "UTF-8"),
        ("Equipment/%00", "U+0000"),
        ("Equipment/a%0D%0Ab", "U+000D"),
        ("Equipment/a\tb", "U+0009"),
        ("Equipment/%C2%85", "U+0085"),
        ("Equipment/\udcff", "U+DCFF"),
        ("../Equipment", "no name"),
        (".", "no name"),
        ("%2e%2e/Equipment", "no name"),
        ("Equipment/1/../Jobs", "no name"),
        ("Equipment('00001')", "Equipment/00001"),
        ("Équipement", "no name"),
        ("1Equipment", "no name"),
        ("Equipment x", "no name"),
        ("$batch", "no name"),
        ("Equipment/DataProvider=erp", "ExternalId=4711"),
        ("Equipment/ExternalId=1,Id=2", "not both"),
        ("Department/ExternalId=01/Jobs/ExternalId=002/Equipments", "no second one"),
        ("Department/externalid=01/Jobs/0002/Equipments", "no own id"),
        ("Department/01/Jobs/ExternalId=0002", "no own id"),
        ("/".join(["A", "1"] * (MAX_SEGMENTS + 1)), "names"),
        ("A/" + "1" * MAX_LENGTH, "characters"),
    ],
)
def test_what_is_no_path_says_what_to_write(raw: str, hint: str) -> None:
    with pytest.raises(InvalidPath) as caught:
        parse_path(raw)
    assert hint in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Equipment(",
        "Equipment()",
        "Equipment('')",
        "Equipment('1'",
        "Equipment('1')x",
        "Equipment('1)",
        "Equipment('1'')",
        "Equipment('a'b')",
        "Equipment('a%27b')",
        "Equipment(abc)",
        "Equipment('1',)",
        "Equipment('1','2')",
        "Equipment(Id='1',id='2')",
        "Equipment(Id='1','2')",
        "Equipment('1')('2')",
        "Equipment('1')/",
        "Equipment/Jobs",
        "('1')",
        "Equipment('01/02')",
        "../Equipment('1')",
        "Equipment('1')/../Jobs",
        "Department(ExternalId='01')/Jobs('0002')/Equipments",
        "Department(ExternalId='01')/Jobs(ExternalId='002')/Equipments",
        "Equipment(DataProvider='x')",
        "Equipment('%00')",
    ],
)
def test_what_is_no_upstream_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_upstream_path(text)


@pytest.mark.parametrize("text", ["Line(5)", "Line(-1.50)", "Line(Invoice='1',LineId=0005)"])
def test_an_unquoted_number_stays_unquoted(text: str) -> None:
    parsed = parse_upstream_path(text)
    assert parsed.last.key is not None
    assert parsed.last.key.parts[-1].numeric
    assert print_upstream_path(parsed) == text


def test_a_numeric_part_that_is_no_number_is_quoted() -> None:
    key = Key((KeyPart(None, "1)/Jobs(2", numeric=True),))
    assert print_upstream_path(path(("Line", key))) == "Line('1%29%2FJobs%282')"


def test_a_structural_character_may_come_encoded_from_upstream() -> None:
    assert parse_upstream_path("Equipment%28%27a%27%29") == path(("Equipment", "a"))


@pytest.mark.parametrize("character", [*"/<>*%&:\\?", "\t", "\x7f"])
def test_a_key_that_the_upstream_refuses_is_named(character: str) -> None:
    found = unaddressable(path(("Department", "01"), ("Jobs", named(Id="7", Code=f"a{character}b"))))
    assert found is not None
    assert "Jobs" in found
    assert repr(character) in found


@pytest.mark.parametrize("key", ["00001", '$+,;=@ "{}!^~[]`', "O'Brien", "..", "é"])
def test_other_keys_are_addressable(key: str) -> None:
    assert unaddressable(path(("Department", key), "Jobs")) is None


def test_an_external_key_says_whose_it_is() -> None:
    assert named(externalid="1", DATAPROVIDER="erp").provider == "erp"
    assert named(externalid="1").external
    assert named(externalid="1").provider is None
    assert not Key.single("ExternalId").external
    assert not named(Id="1").external


def test_paths_are_built_from_paths() -> None:
    jobs = path(("Department", "01")).child("Jobs")
    assert jobs == path(("Department", "01"), "Jobs")
    assert jobs.entity == "Department"
    assert jobs.last == Segment("Jobs")
    assert jobs.keyed(Key.single("7")) == path(("Department", "01"), ("Jobs", "7"))
    assert jobs.keyed(Key.single("7")).keyed(None) == jobs


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12) | st.sampled_from(
    [".", "..", "%2e", "%", "'", "''", "',Id='", "a/b", "a=b", "a,b", "')/x('", "?", "#"]
)
own_keys = st.builds(Key.single, values) | st.lists(
    st.builds(KeyPart, names, values),
    min_size=1,
    max_size=3,
    unique_by=lambda part: str(part.name).lower(),
).map(lambda parts: Key(tuple(parts))).filter(lambda key: not key.external and key.provider is None)
external_keys = st.builds(lambda value: named(ExternalId=value), values) | st.builds(
    lambda value, provider: named(ExternalId=value, DataProvider=provider), values, values
)


@st.composite
def paths(draw: st.DrawFn) -> ObjectPath:
    if draw(st.booleans()):
        segments = [Segment(draw(names), draw(external_keys))]
    else:
        segments = draw(st.lists(st.builds(Segment, names, own_keys), max_size=3))
    if not segments or draw(st.booleans()):
        segments = [*segments, Segment(draw(names))]
    return ObjectPath(tuple(segments))


@given(paths())
def test_what_is_printed_is_read_back(made: ObjectPath) -> None:
    assert parse_path(print_path(made)) == made
    assert parse_upstream_path(print_upstream_path(made)) == made


@given(paths())
def test_a_printed_path_is_safe_on_the_line(made: ObjectPath) -> None:
    for text in (print_path(made), print_upstream_path(made)):
        assert text.isascii()
        assert text.isprintable()
        assert not {" ", "?", "#", "\\", "&"} & set(text)
        assert not {".", ".."} & set(text.split("/"))


@given(st.text(max_size=40) | st.text("AB/('=,)%2F.\\ é", max_size=40))
def test_anything_is_read_or_refused(raw: str) -> None:
    for parse, printed in ((parse_path, print_path), (parse_upstream_path, print_upstream_path)):
        try:
            made = parse(raw)
        except InvalidPath:
            continue
        assert parse(printed(made)) == made
