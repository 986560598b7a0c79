"""Reading objects: addressing, answers, paging, languages. Rules of the vendor page "Requesting data"."""

from urllib.parse import quote

import pytest

from tests.unit.sandbox.client import Client, serving

FLOOR = {"Building": "0001", "BuildingPart": "001"}


async def test_the_vendor_example_is_answered_to_the_letter(client: Client) -> None:
    reply = await client.get("Equipment('00001')", key="sandbox-vendor-page")
    assert reply.status == 200
    assert list(reply.json.items()) == [
        ("Id", "00001"),
        ("Code", None),
        ("Context", 1),
        ("Description", "Heftruck 1 type 35 "),
        ("InstallDate", "2016-06-20"),
        ("ManufactureYear", 2013),
        ("NextPmMaintenanceDate", "2022-12-25"),
        ("Status", 2),
        ("SerialNumber", "2344-323AA"),
        ("CostCenter", "05"),
        ("Department", "05"),
        ("EquipmentType", "0025"),
        ("PartOfEquipment", None),
        ("ProcessFunction", None),
    ]


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("Equipment('00001')", "00001"),
        ("equipment('00001')/", "00001"),
        ("_MyEntity('01')", "01"),
        ("Job(0000002)", "0000002"),
        (
            "EquipmentSparePart(Equipment='00001',Article='0191')",
            {"Equipment": "00001", "Article": "0191"},
        ),
        (
            "EquipmentSparePart(Article='0191',%20equipment='00001')",
            {"Equipment": "00001", "Article": "0191"},
        ),
        ("EquipmentSparePart(ExternalId='0191')", {"Equipment": "00001", "Article": "0191"}),
        ("Equipment(ExternalId='00001')", "00001"),
        ("Equipment(ExternalId='4711')", "00002"),
        ("Equipment(ExternalId='4711',DataProvider='erp')", "00003"),
        ("Equipment('00001')/Department", "05"),
        ("Equipment(ExternalId='00001')/Department", "05"),
        ("EquipmentSparePart(Equipment='00001',Article='0191')/Article/Vendor", "2513"),
        ("Department('01')/Jobs('0000002')", "0000002"),
        (
            "BuildingFloor(Building='0001',BuildingPart='001',Id='1-0')",
            {"Building": "0001", "BuildingPart": "001", "Id": "1-0"},
        ),
        (
            "Building('0001')/BuildingParts(Building='0001',Id='001')"
            "/BuildingFloors(Building='0001',BuildingPart='001',Id='CODE01')",
            {"Building": "0001", "BuildingPart": "001", "Id": "CODE01"},
        ),
        (
            "Building('0001')/BuildingParts('001')/BuildingFloors('CODE01')",
            {"Building": "0001", "BuildingPart": "001", "Id": "CODE01"},
        ),
    ],
)
async def test_every_way_to_address_one_record(client: Client, path: str, identity: object) -> None:
    reply = await client.get(path)
    assert reply.status == 200
    assert reply.json["Id"] == identity


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("Equipment", "00001"),
        ("Equipment/", "00001"),
        ("_MyEntity", "01"),
        ("Department('01')/Jobs", "0000001"),
        ("Department(ExternalId='01')/Jobs", "0000001"),
        ("Department('01')/Jobs('0000002')/Equipments", "00001"),
        ("Building('0001')/BuildingParts", {"Building": "0001", "Id": "001"}),
        ("Building('0001')/BuildingParts('001')/BuildingFloors", {**FLOOR, "Id": "1-0"}),
        ("Invoice(ExternalId='001')/Lines", {"Invoice": "001", "LineId": "0001"}),
        ("Invoice('00001')/Lines", {"Invoice": "00001", "LineId": "0001"}),
        ("Equipment('00002')/Parts", "00003"),
        ("EquipmentType('0025')/Equipments", "00001"),
    ],
)  # fmt: skip
async def test_every_way_to_address_a_list(client: Client, path: str, first: object) -> None:
    reply = await client.get(path)
    assert reply.status == 200
    assert set(reply.json) == {"count", "nextPageLink", "items"}
    assert reply.ids[0] == first


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("Nothing", (404, "ResourceNotFound")),
        ("JobEquipment", (404, "ResourceNotFound")),
        ("Equipment('00001')/Nothing", (404, "ResourceNotFound")),
        ("Equipment/Department", (404, "ResourceNotFound")),
        ("Equipment('00001')/Jobs", (404, "ResourceNotFound")),
        ("Equipment('1')", (404, "EntityNotFound")),
        ("Equipment(1)", (404, "EntityNotFound")),
        ("Equipment('99999')/Department", (404, "EntityNotFound")),
        ("Equipment('00001')/Vendor", (404, "EntityNotFound")),
        ("Department('05')/Jobs('0000002')", (404, "EntityNotFound")),
        ("Building('0001')/BuildingParts(Building='0002',Id='001')", (404, "EntityNotFound")),
        ("Equipment(ExternalId='nowhere')", (404, "EntityNotFound")),
        ("Equipment('00001')/Department('05')", (400, "InvalidPath")),
        ("Equipment(Id='00001',Code='x')", (400, "InvalidPath")),
        ("EquipmentSparePart('00001')", (400, "InvalidPath")),
        ("Equipment('00001'", (400, "InvalidPath")),
        ("Equipment('00001)", (400, "InvalidPath")),
        ("Equipment()", (400, "InvalidPath")),
        ("Department(ExternalId='01')/Jobs(ExternalId='002')/Equipments", (400, "InvalidPath")),
        ("Department(ExternalId='01')/Jobs('0002')/Equipments", (400, "InvalidPath")),
        ("Department('01')/Jobs(ExternalId='002')", (400, "InvalidPath")),
        ("Equipment(ExternalId='1',Id='00001')", (400, "InvalidPath")),
    ],
)
async def test_what_cannot_be_addressed(client: Client, path: str, error: tuple[int, str]) -> None:
    assert (await client.get(path)).error == error


async def test_paths_are_read_without_regard_to_case(client: Client) -> None:
    reply = await client.call("GET", "/API/V1/Object/eQUIPMENT('00001')/departMENT")
    assert reply.json["Id"] == "05"


@pytest.mark.parametrize("key", ["50%", "a*b", "a&b", "a:b", "a\\b", "a?b", "<b>", "01/02"])
async def test_refused_characters_in_a_path_work_in_a_filter(client: Client, key: str) -> None:
    encoded = quote(key, safe="")
    assert (await client.get(f"Building('{encoded}')")).error == (400, "InvalidPath")
    assert (await client.get(f"Building?filter=Id%20eq%20'{encoded}'")).ids == [key]


@pytest.mark.parametrize(
    "key", ["a=b", "O''Brien", "a b", " 7", "$1+2,3;4", '@"{x}" [!]^~`', "#1", "ünï-π", "007", "7"]
)
async def test_other_characters_work_percent_encoded(client: Client, key: str) -> None:
    reply = await client.get(f"Building('{quote(key, safe='')}')")
    assert reply.json["Id"] == key.replace("''", "'")


async def test_leading_zeros_count(client: Client) -> None:
    assert (await client.get("Building('7')")).json["Description"] == "Seven without"
    assert (await client.get("Building('007')")).json["Description"] == "Seven with zeros"


async def test_broken_escapes_and_foreign_bytes_are_refused(client: Client) -> None:
    assert (await client.get("Building('%ff')")).error == (400, "InvalidPath")
    assert (await client.get("Building('%2541')")).error == (400, "InvalidPath")


async def test_a_key_with_a_provider_finds_only_its_records(client: Client) -> None:
    assert (await client.get("Equipment(ExternalId='4711')", key="sandbox-erp")).json["Id"] == "00003"
    other = await client.get("Equipment(ExternalId='4711',DataProvider='Rest')", key="sandbox-erp")
    assert other.error == (404, "EntityNotFound")


async def test_references_dates_and_numbers_have_their_shapes(client: Client) -> None:
    body = (await client.get("Equipment('00002')")).json
    assert body["Department"] == "01"
    assert body["BuildingPart"] == {"Building": "0001", "Id": "001"}
    assert body["PurchasePrice"] == 1234.5
    assert body["TrackAndTrace"] is False
    assert body["RecordChangeDate"] == "2022-06-15T10:20:30.1234567Z"
    assert b'"PurchasePrice":1234.50' in (await client.get("Equipment('00002')")).body


async def test_an_empty_text_is_not_null(client: Client) -> None:
    assert (await client.get("Equipment('00004')?select=Description,Code")).json == {
        "Description": "",
        "Code": "",
    }
    assert (await client.get("Equipment('00005')?select=Description")).json == {"Description": None}


async def test_only_granted_properties_appear(client: Client) -> None:
    reply = await client.get("Equipment('00001')", key="sandbox-narrow")
    assert list(reply.json) == ["Id", "Context", "Description", "Status", "Department"]
    assert (await client.get("Job", key="sandbox-narrow")).error == (404, "ResourceNotFound")
    assert (await client.get("Equipment('00001')/CostCenter", key="sandbox-narrow")).status == 404
    assert "SystemCompany" not in (await client.get("Equipment('00001')")).json


async def test_expand_inlines_what_is_granted(client: Client) -> None:
    body = (await client.get("Equipment('00002')?expand=Vendor,Parts")).json
    assert body["Vendor"]["Name"] == "Lift Works GmbH"
    assert [part["Id"] for part in body["Parts"]] == ["00003"]
    refused = await client.get("Equipment('00001')?expand=CostCenter", key="sandbox-narrow")
    assert refused.error == (400, "InvalidQueryOption")


async def test_expand_reaches_three_levels(client: Client) -> None:
    path = "EquipmentSparePart(Equipment='00001',Article='0191')"
    body = (await client.get(f"{path}?expand=Article/Vendor/Country")).json
    assert body["Article"]["Vendor"]["Country"]["Id"] == "DE"
    too_deep = await client.get(f"{path}?expand=Article/Vendor/Country/Id")
    assert too_deep.error == (400, "InvalidQueryOption")


async def test_what_is_expanded_must_be_selected(client: Client) -> None:
    ignored = await client.get("Equipment('00002')?select=Description&expand=Vendor")
    assert list(ignored.json) == ["Description"]
    taken = await client.get("Equipment('00002')?select=Description,Vendor/Name&expand=Vendor")
    assert taken.json == {
        "Description": "Pump <b>A</b>&nbsp;1<br />spare",
        "Vendor": {"Name": "Lift Works GmbH"},
    }
    plain = await client.get("Equipment('00002')?select=Vendor")
    assert plain.json == {"Vendor": "2513"}


@pytest.mark.parametrize(
    "option", ["select=Nope", "expand=Nope", "expand=Description", "top=1", "filter=Id%20eq%20'1'"]
)
async def test_options_that_do_not_fit_one_record(client: Client, option: str) -> None:
    assert (await client.get(f"Equipment('00001')?{option}")).error == (400, "InvalidQueryOption")


@pytest.mark.parametrize(
    "option",
    ["limit=5", "top=-1", "top=x", "skip=1.5", "count=yes", "top=1&$top=2", "orderby=Id%20up", "orderby=Nope",
     "orderby=BuildingPart", "expand=a//b", "filter=%ff"],
)  # fmt: skip
async def test_options_that_cannot_be_read(client: Client, option: str) -> None:
    assert (await client.get(f"Equipment?{option}")).error == (400, "InvalidQueryOption")


async def test_pages_follow_the_link_to_the_end() -> None:
    async with serving(page_size=5) as client:
        reply = await client.get("Equipment?$select=Id&count=true")
        seen = reply.ids
        assert reply.json["count"] == 12
        assert len(seen) == 5
        while link := reply.json["nextPageLink"]:
            assert link.startswith(
                f"{client.sandbox.url}/api/v1/object/Equipment?$select=Id&count=true&skip="
            )
            reply = await client.call("GET", link.removeprefix(client.sandbox.url))
            seen += reply.ids
        assert seen == [f"{number:05d}" for number in range(1, 13)]


async def test_the_link_keeps_encoded_options_and_reduces_top() -> None:
    async with serving(page_size=2, public_base="https://customer.ultimo.net") as client:
        reply = await client.get("Equipment?filter=Status+ne+99&top=3&skip=1&orderby=Id%20desc")
        assert reply.ids == ["00011", "00010"]
        link = reply.json["nextPageLink"]
        assert link == (
            "https://customer.ultimo.net/api/v1/object/Equipment"
            "?filter=Status+ne+99&orderby=Id%20desc&skip=3&top=1"
        )
        last = await client.call("GET", link.removeprefix("https://customer.ultimo.net"))
        assert last.ids == ["00009"]
        assert last.json["nextPageLink"] is None


async def test_the_count_alone(client: Client) -> None:
    reply = await client.get("Equipment?top=0&count=true&filter=Status%20eq%202")
    assert reply.json == {"count": 7, "nextPageLink": None, "items": []}
    assert (await client.get("Equipment?top=1")).json["count"] is None


async def test_order_by_several_scalars_with_null_first(client: Client) -> None:
    reply = await client.get("Equipment?orderby=Status%20desc,Description&select=Id")
    assert reply.ids[:2] == ["00008", "00009"]
    ascending = await client.get("Equipment?orderby=Description&select=Id")
    assert ascending.ids[:2] == ["00005", "00004"]
    related = await client.get("Equipment?orderby=Vendor/Name%20desc,Id%20desc&top=2&select=Id")
    assert related.ids == ["00003", "00002"]


async def test_a_multilingual_key_gets_all_languages(client: Client) -> None:
    reply = await client.get("_MyEntity('01')?select=Description", key="sandbox-multilingual")
    assert reply.json["Description"] == {
        code: f"{code} value" for code in ("NL", "EN", "DE", "FR", "PL", "ES", "IT", "TR")
    }


@pytest.mark.parametrize(
    ("accepted", "text", "answered"),
    [
        ("NL", "Heftruck", "NL"),
        ("de-DE", "Gabelstapler", "de-DE"),
        ("xx, nl;q=0.5, de;q=0.9", "Gabelstapler", "de"),
        ("TR", "Forklift truck", "TR"),
        ("zz", "Forklift truck", "EN"),
    ],
)
async def test_a_plain_key_gets_the_language_asked_for(
    client: Client, accepted: str, text: str, answered: str
) -> None:
    reply = await client.get("EquipmentType('0025')", headers={"Accept-Language": accepted})
    assert reply.json["Description"] == text
    assert reply.headers["Content-Language"] == answered


async def test_markup_is_stripped_when_preferred(client: Client) -> None:
    path = "Job('0000001')?select=ReportText"
    assert (await client.get(path)).json["ReportText"] == "Leaks oil.<br />Please&nbsp;hurry &amp; check."
    stripped = await client.get(path, headers={"Prefer": "strip-html"})
    assert stripped.json["ReportText"] == "Leaks oil.\nPlease hurry & check."


async def test_only_get_post_put_and_patch_are_known(client: Client) -> None:
    for method in ("DELETE", "OPTIONS"):
        reply = await client.call(method, "object/Equipment('00001')")
        assert reply.error == (405, "MethodNotAllowed")
        assert reply.headers["Allow"] == "GET, POST, PUT, PATCH"


async def test_generated_records_are_the_same_each_time_and_in_order() -> None:
    async with serving(records=3000) as one, serving(records=3000) as two:
        first = await one.get("Equipment?skip=1500&top=3&count=true")
        assert first.json["count"] == 3000
        assert first.ids == ["01501", "01502", "01503"]
        assert first.body.replace(one.sandbox.url.encode(), b"") == (
            await two.get("Equipment?skip=1500&top=3&count=true")
        ).body.replace(two.sandbox.url.encode(), b"")
