"""One budget: what is charged adds up, and is given back."""

from __future__ import annotations

from parsers.limits import MAX_DECODED_RATIO, MAX_DECODED_TOTAL, PROGRAM_COST
from parsers.memory import Account, Memory


def test_accounts_add_up() -> None:
    memory = Memory()
    one, other = Account(memory), Account(memory)
    one.charge(100)
    other.charge(50)
    one.charge(-30)
    assert (one.held, other.held, memory.held) == (70, 50, 120)
    one.close()
    one.close()
    assert (one.held, memory.held) == (0, 50)


def test_the_program_takes_its_part() -> None:
    assert Memory(10 * PROGRAM_COST).limit == 9 * PROGRAM_COST
    assert Memory(1_000).limit == 500


def test_it_is_spent_beyond_its_limit_and_not_at_it() -> None:
    memory = Memory(2_000)
    account = Account(memory)
    account.charge(1_000)
    assert not memory.is_spent
    account.charge(1)
    assert memory.is_spent
    assert memory.enough < memory.limit


def test_what_unfolds_is_bounded_for_all_together() -> None:
    memory = Memory()
    memory.folded = 10
    memory.unfolded = MAX_DECODED_TOTAL + 10 * MAX_DECODED_RATIO
    assert not memory.unfolds_too_much
    memory.unfolded += 1
    assert memory.unfolds_too_much
    assert memory.unfolded_text == "10 bytes of all connections unfold to 67,110,865"
