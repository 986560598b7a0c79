"""The bytes of a batch request, and how many writes go into one."""

from __future__ import annotations

import json
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.batch.encoding import encode_batch, packed
from adapters.batch.options import BatchOptions
from contracts.adapter import Batching, TenantProfile
from contracts.batches import units
from contracts.errors import InvalidBody, PayloadTooLarge
from contracts.operations import ChangeRecord, DeleteRecord, GetRecord, Member, WriteBatch
from contracts.wire import Slot
from tests.unit.adapters.batch.rig import NEW, SCHEMA, a_call, a_write, an_adapter, members

Requests = list[dict[str, object]]


def sent(*operations: dict[str, object]) -> Requests:
    requests: Requests = json.loads(encode_batch(SCHEMA, members(*operations)))["requests"]
    return requests


def test_members_in_the_order_of_the_vendors_examples() -> None:
    body = encode_batch(
        SCHEMA,
        members(
            a_write("1", "put", "job/1", body={"status": "2", "Context": 1}),
            a_write("2", "DELETE", atomicityGroup="g"),
            a_write("3", atomicityGroup="g", dependsOn=["2"]),
        ),
    )
    assert body == (
        b'{"requests":[{"id":"1","method":"PUT","url":"Object/Job(\'1\')","body":{"Status":2,"Context":1}},'
        b'{"id":"2","method":"DELETE","atomicityGroup":"g","url":"Object/Job(\'1\')"},'
        b'{"id":"3","method":"PATCH","atomicityGroup":"g","dependsOn":["2"],"url":"Object/Job(\'1\')",'
        b'"body":{"Description":"x"}}]}'
    )


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("Equipment/00001", "Object/Equipment('00001')"),
        ("Equipment/a%20b%27%23%2B", "Object/Equipment('a%20b%27%27%23%2B')"),
        ("EquipmentSparePart/Equipment=1,Article=2", "Object/EquipmentSparePart(Equipment='1',Article='2')"),
        ("Building/1/BuildingParts/2", "Object/Building('1')/BuildingParts('2')"),
        ("$a", "Object/$a"),
    ],
)
def test_a_url_is_encoded_as_urls_are(path: str, url: str) -> None:
    assert sent(a_write("a"), a_write("b", "PATCH", path, dependsOn=["a"]))[1]["url"] == url


def test_a_url_that_goes_on_from_another_writes_record() -> None:
    operation = a_write("b", "POST", "$a/subjobs", dependsOn=["a"])
    assert sent(a_write("a"), operation)[1]["url"] == "Object/$a/SubJobs"
    part = a_write("b", "PUT", "$a/BuildingParts/%24%20", dependsOn=["a"])
    assert sent(a_write("a", path="Building/1"), part)[1]["url"] == "Object/$a/BuildingParts('%24%20')"


def test_what_a_request_carries_besides() -> None:
    adapter = an_adapter(profile=TenantProfile(company="7", language="NL", strip_html=True))
    (request,) = adapter.plan(a_call(WriteBatch(members=members(a_write("1"))), content_language="en-us"))
    assert (request.method, request.target, request.repeatable) == ("POST", "/batch", True)
    assert request.headers == (
        ("ApiKey", Slot.API_KEY),
        ("Accept", "application/json"),
        ("Accept-Language", "NL"),
        ("Ultimo-Company", "7"),
        ("Prefer", "strip-html"),
        ("Content-Type", "application/json"),
        ("Content-Language", "en-US"),
    )


def test_a_batch_that_creates_cannot_be_repeated() -> None:
    operation = WriteBatch(members=members(a_write("1"), a_write("2", "POST", "Job")))
    assert not an_adapter().plan(a_call(operation))[0].repeatable


def test_a_value_in_several_languages_needs_a_key_that_takes_them() -> None:
    operation = WriteBatch(members=members(a_write("1", body={"Description": {"NL": "x"}})))
    with pytest.raises(InvalidBody):
        an_adapter().plan(a_call(operation))
    (request,) = an_adapter(profile=TenantProfile(multilingual=True, language="NL")).plan(a_call(operation))
    assert "Content-Language" not in dict(request.headers)


def test_what_is_refused() -> None:
    adapter = an_adapter()
    assert isinstance(adapter, Batching)
    good, slash, gone = (
        member.write
        for member in members(
            a_write("1"), a_write("2", path="Job/a%2Fb"), a_write("3", "DELETE", "Job/50%25")
        )
    )
    assert adapter.refusal(WriteBatch(members=(Member(id="1", write=good),))) is None
    assert "import connector" in (adapter.refusal(WriteBatch(members=(Member(id="1", write=slash),))) or "")
    assert "import connector" in (adapter.refusal(gone) or "")
    assert adapter.refusal(DeleteRecord(place=good.place)) is None
    assert adapter.refusal(good) is not None
    assert isinstance(good, ChangeRecord)
    upsert = Member(id="1", write=msgspec.structs.replace(good, upsert=True))
    assert "use PUT" in (adapter.refusal(WriteBatch(members=(upsert,))) or "")
    assert adapter.refusal(GetRecord(place=good.place)) is not None


SMALL = BatchOptions(count=4, bytes=1024)
UNITS = st.lists(
    st.tuples(st.booleans(), st.lists(st.integers(1, 300), min_size=1, max_size=4)), min_size=1, max_size=12
)


def laid_out(shape: list[tuple[bool, list[int]]]) -> tuple[Member, ...]:
    """Groups (true) and single writes, by the lengths of their texts."""
    operations: Requests = []
    for number, (grouped, lengths) in enumerate(shape):
        for length in lengths:
            group = {"atomicityGroup": f"g{number}"} if grouped else {}
            text = "é" * (length // 2) + '"' * (length // 2)
            operations.append(a_write(str(len(operations)), body={"Text": text}, **group))
    return members(*operations)


@given(UNITS)
def test_packs_hold_every_limit_and_are_as_few_as_can_be(shape: list[tuple[bool, list[int]]]) -> None:
    given_members = laid_out(shape)
    parts = list(units(given_members))
    if any(size(part) > SMALL.bytes for part in parts):
        with pytest.raises(PayloadTooLarge):
            packs_of(given_members)
        return
    packs = packs_of(given_members)
    assert [member for pack in packs for member in pack] == list(given_members)
    assert all(len(pack) <= SMALL.count and size(pack) <= SMALL.bytes for pack in packs)
    for group in {member.group for member in given_members} - {None}:
        assert len([pack for pack in packs if any(member.group == group for member in pack)]) == 1
    assert len(packs) == fewest(tuple(parts))


def packs_of(rest: tuple[Member, ...]) -> list[tuple[Member, ...]]:
    packs = []
    while rest:
        taken = packed(SCHEMA, rest, SMALL)
        packs.append(rest[:taken])
        rest = rest[taken:]
    return packs


def size(pack: tuple[Member, ...]) -> int:
    return len(encode_batch(SCHEMA, pack))


def fewest(parts: tuple[tuple[Member, ...], ...]) -> int:
    """The least number of packs that hold the limits, found by trying every way to cut."""

    @cache
    def best(begin: int) -> int:
        if begin == len(parts):
            return 0
        tried = []
        for end in range(begin + 1, len(parts) + 1):
            pack = tuple(member for part in parts[begin:end] for member in part)
            if len(pack) <= SMALL.count and size(pack) <= SMALL.bytes:
                tried.append(1 + best(end))
        return min(tried)

    return best(0)


def test_to_the_byte() -> None:
    many = members(*(a_write(str(number), body={"Text": "x" * 400}) for number in range(3)))
    assert packed(SCHEMA, many, BatchOptions(bytes=size(many))) == 3
    assert packed(SCHEMA, many, BatchOptions(bytes=size(many) - 1)) == 2


def test_what_is_too_large_is_named() -> None:
    large = members(a_write("big", body={"Text": "x" * 2_000_000}))
    with pytest.raises(PayloadTooLarge, match=r"operation big makes .* 1048576"):
        packed(SCHEMA, large, BatchOptions())
    group = members(*(a_write(str(number), "PUT", body=NEW, atomicityGroup="g") for number in range(101)))
    with pytest.raises(PayloadTooLarge, match="group g has 101 operations"):
        packed(SCHEMA, group, BatchOptions())
    pair = members(*(a_write(name, body={"Text": "x" * 600_000}, atomicityGroup="g") for name in "ab"))
    with pytest.raises(PayloadTooLarge, match="group g makes"):
        packed(SCHEMA, pair, BatchOptions())
