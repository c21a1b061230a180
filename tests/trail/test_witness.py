"""A witness cosigns a tree that only grows: every status of C2SP's tlog-witness, its race, and two Crownkeeps that meet."""

from __future__ import annotations

import email
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from scripts import verify_trail
from tests.alerts.listening import HttpReceiver
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.patience import until
from tests.fixtures.process import Process
from tests.trail import logs

from crownkeep import clock
from crownkeep.alerts import channels
from crownkeep.alerts.checkpoint_mail import CheckpointMail
from crownkeep.audit import checkpoints, merkle, notes
from crownkeep.audit.checkpoints import Checkpoint, Signer
from crownkeep.audit.notes import Note, SignatureType
from crownkeep.audit.witnessing import WitnessSubmission
from crownkeep.domain import trail_keys
from crownkeep.settings import Settings
from crownkeep.storage.database import Database
from crownkeep.storage.trail import log_keys, witnessed_logs
from crownkeep.storage.trail.witnessed_logs import WitnessedLogRow
from crownkeep.trail import witness
from crownkeep.trail.witnesses import Witnesses

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(20)]
_names = count(1)


class Log:
    """A log of somebody else's, which a Crownkeep witnesses."""

    def __init__(self, crown: Crown) -> None:
        self.crown = crown
        self.origin = f"log.example/{next(_names)}"
        self.signer = Signer(self.origin, SignatureType.ED25519, sha256(self.origin.encode()).digest())
        database = Database(crown.settings.database_url)
        with database.transaction() as db:
            row = WitnessedLogRow(self.origin, self.signer.key.text, 0, merkle.EMPTY_ROOT, "", clock.now(), None)
            witnessed_logs.add(db, row)
        database.close()

    def request(self, old: int, size: int, **changed: object) -> bytes:
        """Return a request to cosign the tree of a size, with something changed in it."""
        head = Checkpoint(self.origin, size, root(size))
        note = checkpoints.signed(head, [self.signer], at=1)
        proof = tuple(merkle.consistency_proof(old, size, node)) if old <= size else ()
        values = {"old": old, "proof": proof, "note": note, "checkpoint": head} | changed
        return WitnessSubmission(**values).encode()  # type: ignore[arg-type]  # as a test changes it

    def submit(self, old: int, size: int, **changed: object) -> Response:
        return post(self.crown, self.request(old, size, **changed))


def post(crown: Crown, body: bytes) -> Response:
    return crown.request("POST", "/tlog-witness/add-checkpoint", body=body)


def node(height: int, number: int) -> bytes:
    return merkle.folded(LEAVES[number << height : number + 1 << height])


def root(size: int) -> bytes:
    return merkle.root_of(LEAVES[:size])


@pytest.fixture
def log(crown: Crown) -> Log:
    return Log(crown)


def witness_keys(crown: Crown) -> list[str]:
    database = Database(crown.settings.database_url)
    with database.snapshot() as db:
        found = [key.text for key in trail_keys.public(log_keys.every(db, log_keys.WITNESS))]
    database.close()
    return found


def test_a_witness_cosigns_a_tree_that_grows(log: Log):
    answers = [log.submit(0, 3), log.submit(3, 3), log.submit(3, 8), log.submit(8, 13)]

    assert [200] * 4 == [each.status for each in answers]
    signed = Checkpoint(log.origin, 13, root(13)).text + "\n" + log_line(log, 13) + answers[-1].text
    size, _, names = verify_trail.read_checkpoint(signed, [log.signer.key.text, *witness_keys(log.crown)])
    assert (13, 3) == (size, len(names))


def test_requests_of_one_log_beyond_a_few_are_told_to_come_again_and_another_log_goes_on(
    crown: Crown, log: Log, monkeypatch: pytest.MonkeyPatch
):
    let_go, under_way, decide = threading.Event(), threading.Event(), witness._decide

    def held(submission: WitnessSubmission, row: WitnessedLogRow) -> None:
        if row.origin == log.origin and not let_go.is_set():
            under_way.set()
            assert let_go.wait(30)
        decide(submission, row)

    monkeypatch.setattr(witness, "_decide", held)
    body, other = log.request(0, 3), Log(crown)
    with ThreadPoolExecutor(24) as clients:
        asked = [clients.submit(post, crown, body)]
        assert under_way.wait(30)
        asked += [clients.submit(post, crown, body) for _ in range(20)]
        until(lambda: sum(each.done() for each in asked) >= 4)
        let_go.set()
        statuses = [each.result().status for each in asked]

    assert 4 == statuses.count(503)
    assert {200, 409, 503} >= set(statuses)
    assert 200 == other.submit(0, 3).status


def log_line(log: Log, size: int) -> str:
    return log.signer.sign(Checkpoint(log.origin, size, root(size)), at=1).text


def test_the_latest_checkpoint_that_was_cosigned_is_shown(log: Log):
    path = f"/tlog-witness/{sha256(log.origin.encode()).hexdigest()}/checkpoint"
    before = log.crown.request("GET", path).status
    log.submit(0, 5)

    after = log.crown.request("GET", path)

    assert (404, 200) == (before, after.status)
    assert 5 == verify_trail.read_checkpoint(after.text, [log.signer.key.text, *witness_keys(log.crown)])[0]


def spoilt(log: Log, size: int) -> Note:
    line = log.signer.sign(Checkpoint(log.origin, size + 1, root(size)), at=1)
    return Note(Checkpoint(log.origin, size, root(size)).text, (line,))


def of_stranger(log: Log, size: int) -> Note:
    stranger = Signer(log.origin, SignatureType.ED25519, bytes(32))
    return checkpoints.signed(Checkpoint(log.origin, size, root(size)), [stranger], at=1)


def of_root(log: Log, size: int, hash_: bytes) -> Note:
    return checkpoints.signed(Checkpoint(log.origin, size, hash_), [log.signer], at=1)


REFUSALS: dict[str, tuple[int, Callable[[Log], Response]]] = {
    "an unknown log": (404, lambda log: post(log.crown, log.request(5, 8).replace(log.origin.encode(), b"else.example"))),
    "no signature of a trusted key": (403, lambda log: log.submit(5, 8, note=of_stranger(log, 8))),
    "a wrong signature of a trusted key": (403, lambda log: log.submit(5, 8, note=spoilt(log, 8))),
    "an old size that is larger": (400, lambda log: log.submit(9, 8)),
    "another old size": (409, lambda log: log.submit(4, 8)),
    "an old size of zero": (409, lambda log: log.submit(0, 8)),
    "a wrong proof": (422, lambda log: log.submit(5, 8, proof=tuple(LEAVES[:3]))),
    "no proof": (422, lambda log: log.submit(5, 8, proof=())),
    "the same size and another root": (422, lambda log: log.submit(5, 5, note=of_root(log, 5, LEAVES[0]))),
    "a proof where none is needed": (422, lambda log: log.submit(5, 5, proof=(LEAVES[0],))),
    "no request at all": (400, lambda log: post(log.crown, b"old five\n\nx\n")),
    "an old size with a zero before it": (400, lambda log: post(log.crown, log.request(5, 8).replace(b"old 5", b"old 05"))),
    "a hash that is too short": (400, lambda log: post(log.crown, log.request(5, 8).replace(b"\n", b"\nAAAA\n", 1))),
    "sixty-four hashes": (400, lambda log: log.submit(5, 8, proof=tuple(LEAVES[:16]) * 4)),
    "no checkpoint": (400, lambda log: post(log.crown, b"old 5\n\n")),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_witness_refuses(log: Log, what: str):
    log.submit(0, 5)
    status, send = REFUSALS[what]

    refused = send(log)

    assert status == refused.status, refused.text
    if status == 409:
        assert ("5\n", "text/x.tlog.size") == (refused.text, refused.header("content-type"))
    assert 200 == log.submit(5, 8).status


def test_an_empty_tree_has_the_root_of_no_leaves(log: Log):
    empty = log.submit(0, 0, note=of_root(log, 0, LEAVES[0]))

    assert (422, 200) == (empty.status, log.submit(0, 0).status)


def test_requests_at_the_same_moment_roll_no_tree_back(log: Log):
    sizes = [3, 5, 8, 13]

    with ThreadPoolExecutor(len(sizes)) as pool:
        answers = list(pool.map(lambda size: log.submit(0, size), sizes))

    won = [size for size, answer in zip(sizes, answers, strict=True) if answer.status == 200]
    assert 1 == len(won)
    assert {f"{won[0]}\n"} == {answer.text for answer in answers if answer.status == 409}
    assert 3 == sum(answer.status == 409 for answer in answers)
    assert 200 == log.submit(won[0], 20).status


def test_two_crownkeeps_one_witnesses_the_other(
    serve: Callable[..., Process], crowns: Crowns, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    policy, file = tmp_path / "policy", tmp_path / "elsewhere.checkpoint"
    witness = serve()
    hook = HttpReceiver(answers=[500])
    crown = crowns.fresh(
        "sqlite",
        trail_policy=str(policy),
        trail_checkpoint_file=str(file),
        trail_checkpoint_url=f"{hook.url}/secret?token=1",
        trail_witness_seconds=1,
    )
    keyed = [word for vkey in logs.vkeys(crown) for word in ("--key", vkey)]
    assert 0 == witness.crownkeep("trail", "witness", "add", *keyed).returncode
    theirs = [line for line in witness.crownkeep("trail", "keys", "--json").stdout.splitlines() if "witness/" in line]
    vkey = notes.read_key(theirs[0].strip().strip('",'))
    lines = [f"log {each}" for each in logs.vkeys(crown)]
    policy.write_text("\n".join([*lines, f"witness other {vkey.text} {witness.url}/tlog-witness", "quorum other\n"]))

    crown.account()
    logs.settled(crown)
    until(lambda: vkey.name in logs.newest(crown))

    signed = verify_trail.read_checkpoint(logs.newest(crown), [*logs.vkeys(crown), vkey.text])[2]
    assert vkey.name in signed
    until(lambda: file.exists() and logs.newest(crown).splitlines()[1] == file.read_text().splitlines()[1])
    # What it refused with 500 comes again.
    until(lambda: len(hook.got) > 1 and size_of(hook.got[-1].body.decode()) == size_of(logs.newest(crown)))
    assert {"/hook/secret?token=1"} == {each.path for each in hook.got}
    assert not [line for line in caplog.messages if "secret" in line]
    hook.stop()
    crown.close()


def test_a_checkpoint_that_could_not_be_written_or_mailed_goes_out_with_the_next_round(crowns: Crowns, tmp_path: Path):
    crown, file, outbox = crowns.fresh("sqlite"), tmp_path / "share" / "elsewhere.checkpoint", tmp_path / "outbox"
    crown.account()
    logs.settled(crown)
    house = crown._served._app._house
    settings = Settings(data=str(tmp_path), trail_checkpoint_file=str(file), trail_checkpoint_mail="trail@acme.example")
    mail = CheckpointMail(channels.chosen(settings), settings)
    # Its own rounds, as this server makes none.
    witnesses = Witnesses(house.database, house.writer, settings, house.sequencer, mail.send)
    outbox.write_text("in the way")

    crown._served.run(witnesses.send())
    answer = [file.exists(), outbox.is_file()]
    outbox.unlink()
    file.parent.mkdir()
    crown._served.run(witnesses.send())
    crown._served.run(witnesses.send())

    assert [False, True] == answer
    assert logs.newest(crown).splitlines()[1] == file.read_text().splitlines()[1]
    [mailed] = outbox.glob("*.operator.eml")
    message = email.message_from_bytes(mailed.read_bytes())
    [note] = [part.get_payload(decode=True) for part in message.walk() if part.get_filename()]
    assert ("trail@acme.example", file.read_bytes()) == (message["To"], note)
    crown.close()


def test_a_witness_that_answers_with_an_odd_size_does_not_end_the_rounds(
    crowns: Crowns, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    crown, hostile, policy = crowns.shared("sqlite"), HttpReceiver(status=409), tmp_path / "policy"
    crown.account()
    logs.settled(crown)
    house = crown._served._app._house
    key = Signer("witness.example/odd", SignatureType.ED25519_COSIGNATURE, bytes(32)).key
    policy.write_text(f"witness odd {key.text} {hostile.url}\nquorum odd\n")
    settings = Settings(data=str(tmp_path), trail_policy=str(policy))

    for hostile.body in (b" " * 20 + b"1", b"\n" * 30, b"9" * 40, b"\xc2\xb2", b"-1", b"1" * 20 + b"x"):
        crown._served.run(Witnesses(house.database, house.writer, settings, house.sequencer).send())

    assert 6 == sum("`odd`: it answers 409" in each for each in caplog.messages)
    hostile.stop()


def size_of(note: str) -> int:
    return int(note.splitlines()[1])
