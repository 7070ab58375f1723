"""Each action of ``golive rollout``: arguments -> a rollout's directory -> what is printed."""

import argparse
import datetime as dt
import getpass
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from go_live import config as configuration
from go_live.config import Config
from go_live.errors import ExitCode, MeasurementError, UsageError
from go_live.gateway.routes import read_signers
from go_live.gateway.routing import ROLLOUTS, sign
from go_live.outcome import Outcome, exit_code
from go_live.plan import profile_name
from go_live.release.signing import Key, load_key
from go_live.release.trust import Signer, find
from go_live.rollout import actuator, book, lease, proof, recording, telling
from go_live.rollout import state as states
from go_live.rollout.controller import Controller, Look, Setting
from go_live.rollout.judging import judge
from go_live.rollout.lease import Holder, LeaseError
from go_live.rollout.record import Record, exposed
from go_live.rollout.state import OVER, State
from go_live.rollout.telling import Teller


def start(args: argparse.Namespace) -> int:
    """Begin a rollout, or go on with one that was cut off, until it is complete or turned back.

    Raises:
        GoliveError: it cannot be begun, or not be judged.
    """
    config = configuration.load(args.config)
    profile_name(config, args.profile)
    current, candidate = args.current or config.endpoint.id, args.candidate or config.endpoint.id
    if current == candidate:
        raise UsageError(f"{current} cannot take over from itself: name the endpoint that callers ask with --current")
    key, signers = _key(args, config)
    teller = Teller(clock=time.monotonic)
    args.directory.mkdir(parents=True, exist_ok=True)
    with lease.locked(args.directory):
        directory, state = _to_go_on_with(args.directory, current, candidate) or _made(args, config, current, candidate)
    teller.say(f"{state.rollout}: from {state.current} to {state.candidate}, {_steps(state)}")
    controller = Controller(_setting(args, config, directory, key, signers), state)
    return _carry_out(args, config, teller, lambda: controller.run(teller.look), proof.STEPPED)


def watch(args: argparse.Namespace) -> int:
    """Watch the complete rollout for its hours.

    Raises:
        GoliveError: none is complete, or it cannot be judged.
    """
    config = configuration.load(args.config)
    profile_name(config, args.profile)
    key, signers = _key(args, config)
    directory, state = _newest(args)
    if state.phase not in {"complete", "watching"}:
        raise UsageError(f"{state.rollout} is {telling.WORDS[state.phase]}: only a complete one is watched")
    teller = Teller(clock=time.monotonic)
    teller.say(f"{state.rollout}: {state.candidate} is watched for {config.rollout.watch.hours:g} h")
    controller = Controller(_setting(args, config, directory, key, signers), state)
    return _carry_out(args, config, teller, lambda: controller.watch(teller.look), proof.WATCHED)


def status(args: argparse.Namespace) -> int:
    """Where the newest rollout stands.

    Raises:
        GoliveError: there is none, or what was seen cannot be read.
    """
    config = configuration.load(args.config)
    directory, state = _newest(args)
    notes = [_who(args.directory), _in_force(args, config)]
    if (held := book.held(directory)) is not None:
        notes.append(f"held by {held.by} since {telling.moment(held.at)}: no step up until `golive rollout resume`")
    teller = Teller(clock=time.monotonic)
    part = state.part
    if state.phase == "stepping" and part is not None:
        reading = Record(args.record, state.rollout, part)
        reading.read()
        elapsed_s = time.time() - part.began_at
        judged = judge(reading.requests, percent=part.percent, elapsed_s=elapsed_s, config=config)
        state = msgspec.structs.replace(state, reason=telling.waits(judged))
        if not args.json:
            teller.say(telling.line(Look(state=state, judged=judged, elapsed_s=elapsed_s)))
    telling.result(state, teller, notes, exposed(args.record, state), as_json=args.json)
    return exit_code(telling.outcome_of(state))


def pause(args: argparse.Namespace) -> int:
    """Hold the weight.

    Raises:
        UsageError: no rollout is under way.
    """
    directory, state = _under_way(args)
    book.hold(directory, _user(), time.time())
    return _said(
        args, state, f"{state.percent} % stays; a candidate that is shown to be bad is turned back all the same"
    )


def resume(args: argparse.Namespace) -> int:
    """Hold it no longer.

    Raises:
        UsageError: no rollout is under way, or it was not held.
    """
    directory, state = _under_way(args)
    if not book.let_go(directory):
        raise UsageError(f"{state.rollout} is not held")
    return _said(args, state, "held no longer; the controller goes on at its next look")


def abort(args: argparse.Namespace) -> int:
    """All traffic back at once, whoever runs the rollout.

    Raises:
        GoliveError: there is nothing to abort, or no key to sign it with.
    """
    config = configuration.load(args.config)
    key, signers = _key(args, config)
    directory, state = _newest(args)
    if state.over:
        raise UsageError(f"{state.rollout} is {telling.WORDS[state.phase]}: there is nothing to abort")
    holder = Holder(args.directory, lease_s=config.rollout.lease_s, now=time.time)
    holder.take(by_force=True)
    with holder.acting():
        state = book.read_state(directory) or state
        above = max(state.serial, actuator.newest_serial(args.routes, signers))
        raised = msgspec.structs.replace(state, serial=above)
        state, decision = states.aborted(raised, f"aborted by {_user()}", now=time.time())
        envelope = sign(decision, key.private)
        book.keep_decision(directory, envelope)
        actuator.publish(envelope, args.routes, signers)
        book.write_state(directory, state)
    holder.release()
    return _said(args, state, f"0 % to {state.candidate}: everything goes to {state.current}")


ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "start": start,
    "status": status,
    "pause": pause,
    "resume": resume,
    "abort": abort,
    "watch": watch,
}


def _carry_out(
    args: argparse.Namespace,
    config: Config,
    teller: Teller,
    work: Callable[[], State],
    item: str,
) -> int:
    """Run the controller, tell how it ended, and complete the release's record."""
    # What ends a session or a job ends it like Ctrl-C: the lease is given up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        state = work()
    except LeaseError:
        _, state = _newest(args)
        if state.phase != "aborted":
            raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_goes_on(config)) from None
    except OSError as error:
        raise MeasurementError(f"the rollout's files cannot be written: {error}; {_goes_on(config)}") from error
    notes = [] if state.phase == "aborted" else [_recorded(args, config, state, item)]
    telling.result(state, teller, notes, exposed(args.record, state), as_json=args.json)
    return exit_code(telling.outcome_of(state))


def _goes_on(config: Config) -> str:
    """What becomes of the traffic without a controller."""
    return f"the candidate gets nothing more in {config.rollout.decision_valid_s:g} s; the same command goes on"


def _recorded(args: argparse.Namespace, config: Config, state: State, item: str) -> str:
    """Judge the item from what is kept, and add the verdict to the release's record."""
    if state.candidate != config.endpoint.id:
        return (
            f"{item} is not recorded: {state.candidate} is not the endpoint that was validated ({config.endpoint.id})"
        )
    verdict = proof.answer(item, Path.cwd(), config, args.directory.absolute(), args.signers)
    profile = profile_name(config, args.profile)
    told = recording.record(Path.cwd(), config, profile, item, verdict, environment=os.environ, now=time.time())
    return told if verdict.outcome is Outcome.PASS else f"{told} ({verdict.reason})"


def _setting(
    args: argparse.Namespace, config: Config, directory: Path, key: Key, signers: tuple[Signer, ...]
) -> Setting:
    return Setting(
        config=config,
        directory=directory,
        routes=args.routes,
        record=args.record,
        key=key,
        signers=signers,
        now=time.time,
        sleep=time.sleep,
    )


def _to_go_on_with(base: Path, current: str, candidate: str) -> tuple[Path, State] | None:
    """The rollout that was cut off; None: there is none, or a new one may begin.

    Raises:
        UsageError: another one is under way.
    """
    found = _last(base)
    if found is None or found[1].phase in OVER:
        return None
    state = found[1]
    same = (state.current, state.candidate) == (current, candidate)
    if same and state.phase == "stepping":
        return found
    if same:
        raise UsageError(f"{state.rollout} is {telling.WORDS[state.phase]}: `golive rollout watch` goes on with it")
    raise UsageError(
        f"{state.rollout}, from {state.current} to {state.candidate}, is {telling.WORDS[state.phase]}: "
        "`golive rollout abort` ends it"
    )


def _made(args: argparse.Namespace, config: Config, current: str, candidate: str) -> tuple[Path, State]:
    """A new rollout's directory."""
    now = time.time()
    stamp = f"{dt.datetime.fromtimestamp(now, dt.UTC):%Y%m%dT%H%M%SZ}"
    name = f"{config.release.version.replace('/', '-')}-{stamp}"
    state = State(
        rollout=name,
        version=config.release.version,
        current=current,
        candidate=candidate,
        sticky=args.sticky,
        steps=config.rollout.steps_percent,
        began_at=now,
    )
    directory: Path = args.directory / name
    directory.mkdir()
    book.write_state(directory, state)
    return directory, state


def _key(args: argparse.Namespace, config: Config) -> tuple[Key, tuple[Signer, ...]]:
    """The key that signs decisions, and whom the gateway believes: it has to be among them.

    Raises:
        UsageError: there is none, or nobody would act on what it signs.
    """
    name = config.rollout.key_env
    key = load_key(msgspec.structs.replace(config.signing, key_env=name), os.environ)
    if key is None:
        raise UsageError(f"{name} is not set: put the path of the key into it that signs a rollout's decisions")
    path = args.signers or args.config.parent / config.rollout.signers
    signers = read_signers(path)
    refusals = [one.refusal(ROLLOUTS, time.time()) for one in find(signers, key.blob)]
    if not refusals or all(refusals):
        why = refusals[0] if refusals else "is not pinned there"
        raise UsageError(f"no gateway would act: the key {key.fingerprint} ({name}) {why} ({path})")
    return key, signers


def _last(base: Path) -> tuple[Path, State] | None:
    found = sorted(proof.rollouts(base), key=lambda one: one[1].began_at)
    return found[-1] if found else None


def _newest(args: argparse.Namespace) -> tuple[Path, State]:
    """The rollout that began last.

    Raises:
        UsageError: there is none.
    """
    found = _last(args.directory)
    if found is None:
        raise UsageError(f"there is no rollout in {args.directory}: `golive rollout start` begins one")
    return found


def _under_way(args: argparse.Namespace) -> tuple[Path, State]:
    """The newest rollout, if it still steps.

    Raises:
        UsageError: it does not.
    """
    directory, state = _newest(args)
    if state.phase != "stepping":
        raise UsageError(f"{state.rollout} is {telling.WORDS[state.phase]}: it has no weight to hold")
    return directory, state


def _who(base: Path) -> str:
    """Who runs it."""
    held = lease.read(base)
    if held is None or held.until <= time.time() or not lease.alive(held):
        return "no controller runs it"
    return f"run by {held.holder}"


def _in_force(args: argparse.Namespace, config: Config) -> str:
    """What the gateway was told last."""
    signers = read_signers(args.signers or args.config.parent / config.rollout.signers)
    decision = actuator.current(args.routes, signers)
    if decision is None:
        return f"{args.routes} holds no decision that counts"
    if decision.expired(time.time()):
        return f"decision {decision.serial} has run out: the candidate gets nothing"
    until = "" if decision.valid_until is None else f" until {telling.moment(decision.valid_until)}"
    return f"decision {decision.serial} gives it {decision.candidate_percent} %{until}"


def _said(args: argparse.Namespace, state: State, text: str) -> int:
    """One line, or one object."""
    if args.json:
        print(msgspec.json.encode({**telling.summary(state, [], None), "reason": text}).decode())  # noqa: T201
    else:
        print(f"{state.rollout}: {text}")  # noqa: T201 - the command's output
    return ExitCode.GO


def _steps(state: State) -> str:
    sticky = ", by caller" if state.sticky else ""
    return " -> ".join(f"{percent} %" for percent in state.steps) + sticky


def _user() -> str:
    """Who this is, as the machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
