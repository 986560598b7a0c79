"""How the tests of batches make and send them."""

from typing import Any

from tests.unit.sandbox.client import Client, Reply

NEW = {"Context": 1, "Status": 2}


def write(name: str, method: str, url: str, body: object = None, **rest: object) -> dict[str, object]:
    request: dict[str, object] = {"id": name, "method": method, "url": url, **rest}
    return request if body is None else {**request, "body": body}


async def send(client: Client, *requests: object, **options: Any) -> Reply:
    return await client.call("POST", "batch", json={"requests": requests}, **options)


async def statuses(client: Client, *requests: object, **options: Any) -> list[int]:
    reply = await send(client, *requests, **options)
    assert reply.status == 200, reply.body
    return [response["status"] for response in reply.json["responses"]]
