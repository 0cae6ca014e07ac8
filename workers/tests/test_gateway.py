"""The gateway that stands in for RunPod in tests: states, limits, faults and real processes of the SDK."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

from running import GATEWAY, RunningGateway

ROOT = GATEWAY.parents[2]
TEXT = {"type": "text", "texts": ["a"]}


@pytest.fixture(scope="module")
def echo():
    """An endpoint that scales to zero, and one that has no workers and so keeps its jobs."""
    with RunningGateway({
        "echo": {"module": "echo_worker", "idleSeconds": 30}, "asleep": {"module": "echo_worker", "maxWorkers": 0},
        "broken": {"module": "no_such_module"}, "many": {"module": "echo_worker", "maxWorkers": 2, "idleSeconds": 30},
    }, limits={"purge-queue": 2}) as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults_are_left(request):
    yield
    if "echo" in request.fixturenames:
        request.getfixturevalue("echo").control("faults", [])


def run(gateway, endpoint="echo", policy=None, **fields) -> str:
    """The id of a job that /run took."""
    status, body, _ = gateway.ask("POST", f"/v2/{endpoint}/run", {"input": fields, **({"policy": policy} if policy else {})})
    assert (status, body["status"]) == (200, "IN_QUEUE")
    return body["id"]


def status_of(gateway, job: str, endpoint="echo") -> dict:
    status, body, _ = gateway.ask("GET", f"/v2/{endpoint}/status/{job}")
    assert status == 200, body
    return body


def until(gateway, job: str, *states: str, endpoint="echo") -> dict:
    """What /status says once the job is in one of the states."""
    def asked():
        body = status_of(gateway, job, endpoint)
        return body if body["status"] in states else None

    return gateway.until(asked, f"{job} is {states}")


def state(gateway, endpoint="echo") -> dict:
    return gateway.control("state")["endpoints"][endpoint]


def is_alive(worker: int) -> bool:
    """Whether a process of a worker's group is there."""
    try:
        os.killpg(worker, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_cold_endpoint_starts_a_process_and_scales_to_zero(echo):
    before = state(echo)["startedWorkers"]
    body = until(echo, run(echo, **TEXT), "COMPLETED")
    assert body["output"]["model"] == "echo" and body["workerId"].startswith("worker-echo-")
    assert body["delayTime"] >= 0 and body["executionTime"] >= 0
    assert state(echo)["startedWorkers"] == before + 1
    [process] = state(echo)["workerProcesses"]
    echo.until(lambda: state(echo)["pings"] > 0, "the worker pings")
    echo.control("advance", {"seconds": 31})
    echo.until(lambda: not state(echo)["workerProcesses"], "the endpoint has no workers")
    assert not is_alive(process)
    assert echo.ask("GET", "/v2/echo/health")[1]["workers"] == {
        "idle": 0, "running": 0, "ready": 0, "initializing": 0, "throttled": 0, "unhealthy": 0}


def test_errors_of_handlers_have_the_forms_of_the_sdk(echo):
    assert echo.error("echo", type="fail") == {"code": "bad_request", "message": "it was told to fail"}
    raised = json.loads(echo.error("echo", type="raise"))
    assert raised["error_message"] == "the handler raised, as it was told to" and "error_traceback" in raised
    assert isinstance(echo.output("echo", type="list", texts=["a"]), list)


def test_requests_that_are_not_right_are_refused(echo):
    assert echo.ask("POST", "/v2/echo/run", {"input": TEXT}, key="wrong")[0] == 401
    assert echo.ask("GET", "/v2/echo/health", key="")[0] == 401
    for method, path in (("GET", "/v2/none/health"), ("GET", "/v2/echo/status/none"), ("POST", "/v2/echo/nothing"), ("GET", "/v3/x")):
        assert echo.ask(method, path)[0] == 404
    assert echo.ask("POST", "/v2/echo/status/none")[0] == 405
    policies = [{"input": {}, "policy": policy} for policy in ({"ttl": 1}, {"executionTimeout": 4999}, {"ttl": "a"})]
    for body in (b"{", b"[]", b"{}", {"input": "x"}, *policies):
        assert echo.ask("POST", "/v2/echo/run", body)[0] == 400
    assert echo.ask("POST", "/v2/echo/runsync?wait=1", {"input": TEXT})[0] == 400


def test_bodies_have_their_limits(echo):
    def body(count: int) -> bytes:
        return json.dumps({"input": {"type": "fail", "x": "y" * count}}).encode()

    status, text, _ = echo.ask("POST", "/v2/echo/run", body(10 * 2**20))
    assert (status, text) == (400, "exceeded max body size of 10MiB")
    assert echo.ask("POST", "/v2/echo/runsync", body(10 * 2**20))[0] == 200
    assert echo.ask("POST", "/v2/echo/runsync", body(20 * 2**20))[1] == "exceeded max body size of 20MiB"
    done = echo.job("echo", type="big", count=21 * 2**20)
    assert done["status"] == "COMPLETED" and "output" not in done


def test_runsync_answers_before_a_job_is_done_once_its_wait_is_over(echo):
    status, body, _ = echo.ask("POST", "/v2/asleep/runsync?wait=1000", {"input": TEXT})
    assert (status, body["status"]) == (200, "IN_QUEUE")
    assert echo.ask("POST", f"/v2/asleep/cancel/{body['id']}")[1]["status"] == "CANCELLED"


def test_an_endpoint_that_is_asleep_keeps_jobs_until_it_has_workers_again(echo):
    job = run(echo, "asleep", **TEXT)
    assert sum(echo.ask("GET", "/v2/asleep/health")[1]["workers"].values()) == 0
    assert status_of(echo, job, "asleep")["status"] == "IN_QUEUE"
    echo.control("endpoint", {"endpoint": "asleep", "maxWorkers": 1})
    until(echo, job, "COMPLETED", endpoint="asleep")
    echo.control("endpoint", {"endpoint": "asleep", "maxWorkers": 0})
    echo.until(lambda: not state(echo, "asleep")["workerProcesses"], "it is asleep again")


def test_jobs_are_cancelled_in_the_queue_and_in_a_worker(echo):
    waiting = run(echo, "asleep", **TEXT)
    running = run(echo, type="sleep", seconds=600)
    until(echo, running, "IN_PROGRESS")
    # A stop that comes before the SDK made a task of the job is lost (rp_scale.py, stop_job): a second ping is later.
    echo.until(lambda: running in state(echo)["pinged"], "the worker says that it does the job")
    pings, processes = state(echo)["pings"], state(echo)["workerProcesses"]
    echo.until(lambda: state(echo)["pings"] > pings and running in state(echo)["pinged"], "it says so again")
    for job, endpoint in ((waiting, "asleep"), (running, "echo")):
        assert echo.ask("POST", f"/v2/{endpoint}/cancel/{job}")[1] == {"id": job, "status": "CANCELLED"}
        assert status_of(echo, job, endpoint)["status"] == "CANCELLED"
    echo.until(lambda: running not in state(echo)["pinged"], "the worker stopped the job")
    # Of itself, and not because it was ended for having nothing to do.
    assert state(echo)["workerProcesses"] == processes
    assert echo.output("echo", **TEXT)["model"] == "echo"


def test_a_job_that_takes_too_long_is_timed_out_and_can_be_retried(echo):
    job = run(echo, policy={"executionTimeout": 5000}, type="sleep", seconds=600)
    until(echo, job, "IN_PROGRESS")
    echo.control("advance", {"seconds": 6})
    assert status_of(echo, job)["status"] == "TIMED_OUT"
    before = state(echo)["jobs"]["retried"]
    assert echo.ask("POST", f"/v2/echo/retry/{job}")[1] == {"id": job, "status": "IN_QUEUE"}
    until(echo, job, "IN_PROGRESS")
    assert state(echo)["jobs"]["retried"] == before + 1
    echo.control("advance", {"seconds": 6})
    done = until(echo, run(echo, **TEXT), "COMPLETED")
    assert echo.ask("POST", f"/v2/echo/retry/{done['id']}")[0] == 400


@pytest.mark.parametrize(("seconds", "policy"), [(11, {"ttl": 10_000}), (86_401, None)])
def test_a_job_is_forgotten_after_its_ttl_even_in_the_queue(echo, seconds, policy):
    job = run(echo, "asleep", policy, **TEXT)
    echo.control("advance", {"seconds": seconds})
    assert echo.ask("GET", f"/v2/asleep/status/{job}")[0] == 404


def test_results_are_kept_half_an_hour_and_those_of_runsync_a_minute(echo):
    sync, later = echo.job("echo", **TEXT)["id"], until(echo, run(echo, **TEXT), "COMPLETED")["id"]
    echo.control("advance", {"seconds": 61})
    assert echo.ask("GET", f"/v2/echo/status/{sync}")[0] == 404
    assert status_of(echo, later)["status"] == "COMPLETED"
    echo.control("advance", {"seconds": 1800})
    assert echo.ask("GET", f"/v2/echo/status/{later}")[0] == 404


def test_the_queue_is_purged_and_rates_are_held(echo):
    echo.control("advance", {"seconds": 11})
    jobs = [run(echo, "asleep", **TEXT) for _ in range(3)]
    removed = echo.ask("POST", "/v2/asleep/purge-queue")[1]
    assert removed["status"] == "completed" and removed["removed"] >= 3
    assert all(echo.ask("GET", f"/v2/asleep/status/{job}")[0] == 404 for job in jobs)
    assert echo.ask("POST", "/v2/asleep/purge-queue")[0] == 200
    assert echo.ask("POST", "/v2/asleep/purge-queue")[0] == 429
    echo.control("advance", {"seconds": 11})
    assert echo.ask("POST", "/v2/asleep/purge-queue")[0] == 200


def test_a_killed_worker_fails_its_job_and_the_next_job_gets_a_new_one(echo):
    job = run(echo, type="sleep", seconds=600)
    until(echo, job, "IN_PROGRESS")
    [process] = state(echo)["workerProcesses"]
    os.kill(process, signal.SIGKILL)
    assert "worker exited" in until(echo, job, "FAILED")["error"]
    assert echo.output("echo", **TEXT)["model"] == "echo"
    assert state(echo)["workerProcesses"] != [process]
    assert "status 3" in echo.error("echo", type="exit")
    job = run(echo, type="sleep", seconds=600)
    until(echo, job, "IN_PROGRESS")
    echo.control("kill", {"endpoint": "echo"})
    until(echo, job, "FAILED")


def test_a_worker_that_does_not_start_leaves_its_job_in_the_queue_and_is_told(echo):
    job = run(echo, "broken", **TEXT)
    echo.until(lambda: echo.ask("GET", "/v2/broken/health")[1]["workers"]["unhealthy"], "it is unhealthy")
    assert status_of(echo, job, "broken")["status"] == "IN_QUEUE" and state(echo, "broken")["startedWorkers"] == 3


def test_32_jobs_are_in_one_worker_at_once(echo):
    """They only end together: each sleeps until all were seen in progress and were cancelled."""
    echo.output("echo", **TEXT)
    jobs = [run(echo, type="sleep", seconds=600) for _ in range(32)]
    echo.until(lambda: state(echo)["jobs"]["inProgress"] == 32, "32 jobs are in progress")
    assert len(state(echo)["workerProcesses"]) == 1
    for job in jobs:
        echo.ask("POST", f"/v2/echo/cancel/{job}")
    assert state(echo)["jobs"]["inProgress"] == 0


def test_a_second_worker_comes_for_jobs_that_wait_too_long(echo):
    jobs = [run(echo, "many", type="sleep", seconds=600) for _ in range(33)]
    echo.until(lambda: state(echo, "many")["jobs"]["inProgress"] == 32, "one worker is full")
    echo.control("advance", {"seconds": 5})
    echo.until(lambda: state(echo, "many")["jobs"]["inProgress"] == 33, "a second one has the last job")
    assert len(state(echo, "many")["workerProcesses"]) == 2
    for job in jobs:
        echo.ask("POST", f"/v2/many/cancel/{job}")


def test_faults_come_as_they_are_listed(echo):
    echo.output("echo", **TEXT)
    def ask():
        return echo.ask("POST", "/v2/echo/runsync", {"input": TEXT}, timeout=10)

    echo.control("faults", [
        {"kind": "status", "status": 502, "count": 2}, {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}, "body": {}},
        {"kind": "drop"}, {"kind": "dropReply"}, {"kind": "truncate", "bytes": 20},
        {"kind": "merge", "output": {"model": "another", "vectors": []}}, {"kind": "status", "operation": "cancel", "status": 500}])
    for _ in range(2):
        status, body, headers = ask()
        assert status == 502 and body.startswith("<html>") and headers["Content-Type"].startswith("text/html")
    status, _, headers = ask()
    assert (status, headers["Retry-After"]) == (429, "7")
    before = state(echo)["jobs"]["completed"]
    for expected in (0, 1):
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, urllib.error.URLError)):
            ask()
        # One that was dropped before did nothing; one whose reply was dropped did it.
        assert state(echo)["jobs"]["completed"] == before + expected
    with pytest.raises(http.client.IncompleteRead):
        ask()
    assert ask()[1]["output"] == {"model": "another", "dimension": 8, "vectors": []}
    assert ask()[1]["output"]["model"] == "echo"
    # The one for /cancel is left.
    assert echo.control("state")["faultsLeft"] == 1
    echo.control("faults", [{"kind": "hang"}])
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        echo.ask("GET", "/v2/echo/health", timeout=0.2)
    status, _, _ = echo.ask("POST", "/gateway/faults", [{"kind": "nonsense"}])
    assert status == 400


def test_no_worker_outlives_its_gateway():
    with RunningGateway({"echo": {"module": "echo_worker"}}) as running:
        running.output("echo", **TEXT)
        [process] = state(running)["workerProcesses"]
        running.process.kill()
        running.process.wait()
    running.until(lambda: not is_alive(process), "the worker is gone, and what pings for it")


def test_it_ends_after_its_lifetime():
    ended = subprocess.run([sys.executable, GATEWAY, "--lifetime", "0.2"], capture_output=True, text=True, timeout=60,
                           stdin=subprocess.DEVNULL)
    assert ended.returncode == 0 and "seconds are over" in ended.stderr and "listening on" in ended.stdout


def test_the_script_is_skipped_by_status_77_where_there_is_no_python(tmp_path):
    """With a PATH of the few commands that the script needs otherwise."""
    for command in ("bash", "env", "dirname", "cat", "sha256sum", "cut"):
        (tmp_path / command).symlink_to(shutil.which(command))
    ended = subprocess.run([ROOT / "scripts" / "runpod-gateway"], capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert ended.returncode == 77 and "Python 3.11 or newer is needed" in ended.stderr and not ended.stdout


def test_the_script_is_skipped_by_status_77_where_packages_cannot_be_had(tmp_path):
    ended = subprocess.run(
        [ROOT / "scripts" / "runpod-gateway", "--venv", tmp_path / "venv"], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""})
    assert ended.returncode == 77 and "could not be installed" in ended.stderr and not ended.stdout


def test_the_script_starts_the_gateway_on_an_environment_that_is_there():
    venv = Path(sys.prefix)
    if not (venv / "installed-requirements-test").is_file():
        pytest.skip("this environment was not made by scripts/runpod-gateway")
    process = subprocess.Popen([ROOT / "scripts" / "runpod-gateway", "--venv", venv, "--lifetime", "60"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    port = int(process.stdout.readline().removeprefix("listening on "))
    socket.create_connection(("127.0.0.1", port), 5).close()
    process.stdin.close()
    assert process.wait(30) == 0
