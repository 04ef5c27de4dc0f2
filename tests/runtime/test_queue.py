"""Tasks over a queue, with a real Redis and a real PostgreSQL: each is answered once, whatever dies."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.postgresql import PostgreSQL
from tests.edge.redis_server import RedisServer
from tests.runtime.killing import Shop, message
from tests.runtime.process import types
from tests.runtime.queues import (
    PostgreSqlQueue,
    Queue,
    RedisQueue,
    metric,
    task_of,
    wait_backlog,
    wait_task,
    workers,
)
from tests.runtime.test_crashes import wait_ordered


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["redis-streams", "postgresql"])
def queue(request: pytest.FixtureRequest, redis: RedisServer, postgresql: PostgreSQL) -> Queue:
    """Each kind, with a database of its own."""
    database = postgresql.new_database(request.node.name[:60])
    if request.param == "redis-streams":
        return RedisQueue(redis, database)
    return PostgreSqlQueue(postgresql, database)


def order(number: str, **more: object) -> str:
    """A task as JSON; `seconds` is how long the order takes."""
    seconds = more.pop("seconds", 0.02)
    sleep = more.pop("sleep", 0.02)
    return json.dumps({"message": message(number, seconds=seconds, sleep=sleep), **more})  # type: ignore[arg-type]


def test_a_task_is_put_in_run_and_answered(shop: Shop, queue: Queue) -> None:
    """Over HTTP: 202 with its place, then the result; its conversation is one like any other."""
    with workers(shop, queue, "a") as (runtime,):
        body = {"message": message("1"), "metadata": {"ticket": "INC-7"}}
        accepted = runtime.client.post("/api/v1/tasks", json=body)
        assert (accepted.status_code, accepted.json()["state"]) == (202, "queued")
        task = wait_task(runtime, accepted.json()["id"])
        assert accepted.headers["location"] == f"/api/v1/tasks/{task['id']}"
        assert (task["state"], task["outcome"], task["answer"]) == ("done", "completed", "Ordered 1.")
        assert (task["metadata"], task["deliveries"], task["reason"]) == ({"ticket": "INC-7"}, 1, None)
        events = runtime.log(task["session"])
        assert {event["runId"] for event in events} == {task["runId"]}
        wait_backlog(queue, 0)
        assert metric(runtime, 'kagent_tasks_total{outcome="completed"}') == 1
    assert shop.ordered() == ["1"]


def test_the_same_id_is_the_same_task(shop: Shop, queue: Queue) -> None:
    """Put in again by a producer that did not hear the answer; another message under the id is refused."""
    with workers(shop, queue, "a") as (runtime,):
        body = {"id": "order-1", "session": "customer-9", "message": message("1")}
        for _ in range(3):
            answer = runtime.client.post("/api/v1/tasks", json=body)
            assert answer.status_code == 202
        assert wait_task(runtime, "order-1")["session"] == "customer-9"
        again = runtime.client.post("/api/v1/tasks", json=body)
        assert (again.status_code, again.json()["answer"]) == (202, "Ordered 1.")
        other = runtime.client.post("/api/v1/tasks", json=body | {"message": "x"})
        assert (other.status_code, "with another message" in other.json()["detail"]) == (409, True)
        assert runtime.client.get("/api/v1/tasks/none").status_code == 404
        wait_backlog(queue, 0)
        assert types(runtime.log("customer-9")).count("message.user") == 1
    assert shop.ordered() == ["1"]


def test_a_killed_process_leaves_its_task_to_another(shop: Shop, queue: Queue) -> None:
    """Killed in the middle of the call: one turn in the log, the order made once, the result told."""
    with workers(shop, queue, "a", "b") as (one, two):
        id = queue.put(order("1", id="task-1", seconds=2), "task-1")
        wait_ordered(shop)
        running = wait_task(one, id, "running")
        metrics = [metric(r, "kagent_runs_in_flight") for r in (one, two)]
        victim, other = (one, two) if metrics[0] else (two, one)
        victim.kill()
        assert queue.backlog() == 1  # KEDA keeps a pod for it
        task = wait_task(other, id)
        assert (task["state"], task["outcome"], task["runId"]) == ("done", "completed", running["runId"])
        assert task["deliveries"] == 2
        events = other.log(task["session"])
        assert (types(events).count("message.user"), types(events).count("run.finished")) == (1, 1)
        wait_backlog(queue, 0)
    assert shop.ordered() == ["1"]


def test_a_process_alone_finds_what_it_was_at(shop: Shop, queue: Queue) -> None:
    """Killed with nobody beside it, and started again, as the kubelet does."""
    with workers(shop, queue, "a") as (runtime,):
        queue.put(order("1", id="task-1", sleep=2), "task-1")
        shop.model.wait_for_requests(2)
        runtime.kill()
    assert queue.backlog() == 1
    with workers(shop, queue, "a") as (runtime,):
        assert wait_task(runtime, "task-1")["answer"] == "Ordered 1."
        wait_backlog(queue, 0)
    assert shop.ordered() == ["1"]


def test_what_is_no_task_is_put_away_and_blocks_nobody(shop: Shop, queue: Queue) -> None:
    """Not JSON, no message, a foreign field, an id that is none: dead, with the reason, and the next is answered."""
    poison = ["{not json", "[]", '{"id": "p2"}', '{"message": "x", "run": "rm"}', '{"message": "x", "session": "/"}']
    with workers(shop, queue, "a") as (runtime,):
        ids = [queue.put(body, f"poison-{number}") for number, body in enumerate(poison)]
        good = queue.put(order("1", id="good"), "good")
        assert wait_task(runtime, good)["state"] == "done"
        wait_backlog(queue, 0)
        if isinstance(queue, RedisQueue):
            letters = [fields for _, fields in queue.server.client.xrange("solo-dead-letters")]
            letters.sort(key=lambda letter: poison.index(letter["task"]))  # several are handled at a time
            assert [letter["task"] for letter in letters] == poison
            assert "it is not JSON" in letters[0]["reason"]
            ids = [letter["id"] for letter in letters]
        tasks = [task_of(runtime, id) for id in ids]
        assert {task["state"] for task in tasks} == {"dead"}
        reasons = [task["reason"] for task in tasks]
        assert reasons[:2] == ["not a task: it is not JSON", "not a task: it is not a JSON object"]
        assert metric(runtime, 'kagent_tasks_total{outcome="dead"}') == len(poison)
    assert shop.ordered() == ["1"]


def test_a_task_that_kills_its_processes_is_given_up(shop: Shop, queue: Queue) -> None:
    """More deliveries than allowed: dead, its turn cancelled, the next one answered."""
    queue.spec["maxDeliveries"] = 1
    with workers(shop, queue, "a") as (runtime,):
        queue.put(order("1", id="deadly", seconds=20), "deadly")
        while not task_of(runtime, "deadly").get("session"):
            time.sleep(0.05)
        runtime.kill()
    with workers(shop, queue, "a") as (runtime,):
        task = wait_task(runtime, "deadly")
        assert (task["state"], task["reason"]) == ("dead", "delivered 1 times, and no process lived to finish it")
        assert runtime.wait_finished(task["session"])[-1]["outcome"] == "cancelled"
        queue.put(order("2", id="next"), "next")
        assert wait_task(runtime, "next")["state"] == "done"
        wait_backlog(queue, 0)
    assert shop.ordered() == ["2"]


def test_two_processes_share_a_backlog(shop: Shop, queue: Queue) -> None:
    """Forty tasks: each is answered once, and both work."""
    numbers = [str(number) for number in range(1, 41)]
    with workers(shop, queue, "a", "b") as (one, two):
        for number in numbers:
            queue.put(order(number, id=f"task-{number}"), f"task-{number}")
        tasks = [wait_task(one, f"task-{number}") for number in numbers]
        assert {(task["state"], task["deliveries"]) for task in tasks} == {("done", 1)}
        assert [task["answer"] for task in tasks] == [f"Ordered {number}." for number in numbers]
        wait_backlog(queue, 0)
        done = [metric(runtime, 'kagent_tasks_total{outcome="completed"}') for runtime in (one, two)]
        assert sum(done) == 40
        assert min(done) > 0
    assert Counter(shop.ordered()) == dict.fromkeys(numbers, 1)


def test_no_more_at_once_than_the_queue_allows(shop: Shop, queue: Queue) -> None:
    """Two hands: the third task waits, and the depth tells KEDA of all."""
    with workers(shop, queue, "a") as (runtime,):
        for number in "123":
            queue.put(order(number, id=f"task-{number}", seconds=1.5), f"task-{number}")
        wait_ordered(shop, 2)
        assert metric(runtime, "kagent_runs_in_flight") == 2
        assert queue.backlog() == 3
        wait_task(runtime, "task-3")
        wait_backlog(queue, 0)


def test_sigterm_hands_over_what_does_not_end_in_time(shop: Shop, queue: Queue) -> None:
    """The process takes nothing new and leaves; the other one finishes the task, and it is no second delivery."""
    with workers(shop, queue, "a") as (runtime,):
        runtime._environment["KAGENT_DRAIN_SECONDS"] = "0.5"
        queue.put(order("1", id="long", seconds=4), "long")
        wait_task(runtime, "long", "running")
        shop.model.wait_for_requests(1)
        with workers(shop, queue, "b") as (other,):
            runtime.process.send_signal(signal.SIGTERM)
            queue.put(order("2", id="later"), "later")
            assert runtime.process.wait(40) == 0, runtime.stderr
            task = wait_task(other, "long")
            assert (task["state"], wait_task(other, "later")["state"]) == ("done", "done")
            assert types(other.log(task["session"])).count("message.user") == 1
            wait_backlog(queue, 0)
    assert shop.ordered().count("1") <= 1  # the call was under way: it is unknown then, and not made again
    assert shop.ordered().count("2") == 1


def test_a_queue_that_goes_away_comes_back(shop: Shop, redis: RedisServer, postgresql: PostgreSQL) -> None:
    """Redis stops and starts again: the process stays, says 503 meanwhile, and goes on."""
    queue = RedisQueue(redis, postgresql.new_database("away"))
    with workers(shop, queue, "a") as (runtime,):
        queue.put(order("1", id="before"), "before")
        wait_task(runtime, "before")
        redis.stop()
        refused = runtime.client.post("/api/v1/tasks", json={"id": "x", "message": "hello"})
        assert (refused.status_code, refused.json()["detail"]) == (503, "the queue does not answer now")
        assert task_of(runtime, "x") == {}
        redis.start()
        queue.put(order("2", id="after"), "after")
        assert wait_task(runtime, "after")["state"] == "done"
        assert "redis-canary" not in runtime.stderr


def test_results_are_told_on_the_reply_stream(shop: Shop, redis: RedisServer, postgresql: PostgreSQL) -> None:
    """With the metadata of the task; the group is left clean."""
    queue = RedisQueue(redis, postgresql.new_database("replies"))
    with workers(shop, queue, "a") as (runtime,):
        queue.put(order("1", id="told", metadata={"reply": "7"}), "told")
        wait_task(runtime, "told")
        wait_backlog(queue, 0)
        ((_, fields),) = redis.client.xrange("solo-results")
        result = json.loads(fields["result"])
        assert (result["id"], result["state"], result["answer"]) == ("told", "done", "Ordered 1.")
        assert result["metadata"] == {"reply": "7"}
        runtime.process.send_signal(signal.SIGTERM)
        assert runtime.process.wait(40) == 0
    assert redis.client.xinfo_consumers("solo", "solo") == []


def test_a_failed_turn_is_not_tried_again(shop: Shop, queue: Queue) -> None:
    """It may have changed something: the task has failed, and says why."""
    with workers(shop, queue, "a") as (runtime,):
        queue.put(json.dumps({"id": "bad", "message": '{"nobody": []}'}), "bad")
        task = wait_task(runtime, "bad")
        assert (task["state"], task["outcome"]) == ("failed", "failed")
        assert task["reason"]
        wait_backlog(queue, 0)
        time.sleep(0.5)
        assert types(runtime.log(task["session"])).count("message.user") == 1


def test_of_two_tasks_with_one_id_the_first_holds(shop: Shop, redis: RedisServer, postgresql: PostgreSQL) -> None:
    """Another message and another conversation under an id change nothing. A table has each id once anyway."""
    queue = RedisQueue(redis, postgresql.new_database("twice"))
    with workers(shop, queue, "a") as (runtime,):
        queue.put(order("1", id="twice", session="first"), "twice")
        queue.put(order("2", id="twice", session="second"), "twice")
        assert wait_task(runtime, "twice")["session"] == "first"
        wait_backlog(queue, 0)
        assert runtime.client.get("/api/v1/sessions/second").status_code == 404
    assert shop.ordered() == ["1"]


def test_a_row_has_one_id(shop: Shop, postgresql: PostgreSQL) -> None:
    """A body that gives another one is dead, and does not come again."""
    queue = PostgreSqlQueue(postgresql, postgresql.new_database("one-id"))
    with workers(shop, queue, "a") as (runtime,):
        queue.put(order("1", id="other"), "row")
        task = wait_task(runtime, "row")
        assert (task["state"], task["reason"]) == ("dead", "not a task: its `id` is another one than that of its row")
        assert task_of(runtime, "other") == {}
        wait_backlog(queue, 0)


def test_a_laptop_takes_tasks_from_its_own_database(shop: Shop) -> None:
    """As `kagent-render run` starts it: nobody looks for the Redis of the config."""
    shop.config["queue"] = {
        **{"type": "redis-streams", "address": "redis.invalid:6379", "stream": "s", "consumerGroup": "g"},
        **{"deadLetterStream": "d", "concurrency": 1, "maxDeliveries": 3, "leaseSeconds": 3},
    }
    with shop.runtime("a", KAGENT_QUEUE="local") as runtime:
        answer = runtime.client.post("/api/v1/tasks", json={"id": "here", "message": message("1")})
        assert answer.status_code == 202
        assert wait_task(runtime, "here")["answer"] == "Ordered 1."
        assert "does not answer" not in runtime.stderr
    assert shop.ordered() == ["1"]


def test_without_a_queue_there_is_nothing_of_it(shop: Shop) -> None:
    """Neither routes nor metrics."""
    with shop.runtime("a") as runtime:
        assert runtime.client.post("/api/v1/tasks", json={"message": "x"}).status_code == 404
        assert "kagent_queue_depth" not in runtime.client.get("/metrics").text


def test_tasks_and_their_conversations_are_whose_they_are(queue: Queue, shop: Shop, tmp_path: Path) -> None:
    """Over the API: the caller's alone. Put into the queue itself: an admin may see them, for nobody is known."""
    ann, bob, root = ({"Authorization": f"Bearer canary-{name}-0123456789abcdef"} for name in ("ann", "bob", "root"))
    (tmp_path / "tokens").write_text("".join(f"{n}:canary-{n}-0123456789abcdef\n" for n in ("ann", "bob", "root")))
    settings = {
        "KAGENT_AUTH": "bearer",
        "KAGENT_AUTH_TOKENS_FILE": str(tmp_path / "tokens"),
        "KAGENT_AUTH_ADMINS": "root",
    }
    with workers(shop, queue, "a", **settings) as (runtime,):

        def put(who: dict[str, str], **task: str) -> int:
            return runtime.client.post("/api/v1/tasks", json={"message": message("1")} | task, headers=who).status_code

        assert put({}, id="one") == 401
        assert put(ann, id="one") == 202
        done = wait_task(runtime, "one", **ann)
        assert (done["state"], done["answer"]) == ("done", "Ordered 1.")
        assert (task_of(runtime, "one", **bob), task_of(runtime, "one", **root)) == ({}, done)
        assert put(bob, id="one") == 409
        session = f"/api/v1/sessions/{done['session']}"
        assert [runtime.client.get(session, headers=who).status_code for who in (ann, bob)] == [200, 404]
        assert put(bob, id="two", session=done["session"]) == 202
        refused = wait_task(runtime, "two", **bob)
        assert (refused["state"], refused["reason"]) == ("failed", "there is no such conversation for who asked")
        three = queue.put(order("3", id="three"), "three")
        assert wait_task(runtime, three, **root)["state"] == "done"
        assert (task_of(runtime, three, **ann), task_of(runtime, three, **bob)) == ({}, {})
        assert shop.ordered() == ["1", "3"]
