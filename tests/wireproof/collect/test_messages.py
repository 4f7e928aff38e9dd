"""What the process that records and the one that exports say to one another."""

from __future__ import annotations

from wireproof.collect.messages import (
    ANSWERS,
    FILES,
    ORDERS,
    Exported,
    Failed,
    File,
    Numbers,
    Order,
    line,
)
from wireproof.redact import Rules


def test_messages_arrive_as_they_were_sent() -> None:
    rules = Rules.wanted("all", ["Etag"], ["x-mine", "[0-9]{9}"], is_personal=True)
    order = Order(place="s3://a/b", folder="/ring", host="w\n1", rules=rules, models=["m"])
    assert ORDERS.decode(line(order)) == order
    assert line(order).count(b"\n") == 1
    asked = File(path="/ring/a\n1", following="/ring/b")
    assert FILES.decode(line(asked)) == asked and asked.before is None
    for answer in (
        Failed("no\nroom"),
        Exported(error="é", counts=[(["a", "b"], 2)], values=[(["c"], [0.5])], models=["m"]),
    ):
        assert ANSWERS.decode(line(answer)) == answer


def test_numbers_are_added_up() -> None:
    numbers = Numbers()
    numbers.count("a", 1, ("x",))
    numbers.count("a", 2, ("x",))
    numbers.count("a", 4, ("y",))
    numbers.observe("b", [1.0, float("nan"), float("inf")], ())
    numbers.observe("b", [2.0], ())
    assert numbers.counts == {("a", "x"): 3, ("a", "y"): 4}
    assert numbers.values == {("b",): [1.0, 2.0]}
