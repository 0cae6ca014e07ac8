"""scripts/build-images, with a program in place of docker that writes down what it is asked."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import WORKERS

SCRIPT = WORKERS.parent / "scripts" / "build-images"
BASE = "python@sha256:" + "0123456789abcdef" * 4
MANIFEST = '{"schemaVersion": 2}'
BUILT = "sha256:" + hashlib.sha256(MANIFEST.encode()).hexdigest()


def build(tmp_path, *arguments: str, there: str = MANIFEST, architecture: str = "amd64", script: Path = SCRIPT, **environment) -> subprocess.CompletedProcess:
    """Runs the script; `docker` finds `there` where it pushed to."""
    image = json.dumps({"os": "linux", "architecture": architecture})
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir(exist_ok=True)
    docker.write_text(f"""#!/usr/bin/env bash
echo "$*" >>'{tmp_path}/asked'
while (($#)); do
    case $1 in
    --metadata-file) echo '{{"containerimage.digest": "{BUILT}"}}' >"$2" ;;
    --raw) printf %s '{there}' ;;
    --format) echo '{image}' ;;
    esac
    shift
done
""")
    docker.chmod(0o755)
    return subprocess.run([script, *arguments], capture_output=True, text=True, env={
        "PATH": f"{docker.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), **environment})


def asked(tmp_path: Path) -> list[str]:
    path = tmp_path / "asked"
    return path.read_text().splitlines() if path.exists() else []


def test_each_image_is_built_pushed_and_named_by_its_digest(tmp_path):
    ended = build(tmp_path, "--base", BASE, "--tag", "v1", DOCKER_HUB_USERNAME="someone")
    assert ended.returncode == 0, ended.stderr
    for worker in ("bge-m3", "siglip2", "vjepa2"):
        assert f"deploy someone/loci-{worker}@{BUILT}" in ended.stdout
    builds = [line for line in asked(tmp_path) if line.startswith("buildx build")]
    assert len(builds) == 3
    assert all("--platform linux/amd64" in line and f"BASE_IMAGE={BASE}" in line and "--push" in line for line in builds)


@pytest.mark.parametrize(("line", "environment", "user"), [
    ("DOCKER_HUB_USERNAME=ada", {}, "ada"), ("\texport DOCKER_HUB_USERNAME = 'ada' # mine", {}, "ada"),
    ('DOCKER_HUB_USERNAME="ada"\r', {}, "ada"), ("DOCKER_HUB_USERNAME=ada\nDOCKER_HUB_USERNAME=bea", {}, "bea"),
    ("DOCKER_HUB_USERNAME=ada", {"DOCKER_HUB_USERNAME": "bea"}, "bea"), ("DOCKER_HUB_USERNAME=ada\r", {}, "ada"),
    ("# DOCKER_HUB_USERNAME=ada", {}, None), ("NO_DOCKER_HUB_USERNAME=ada", {}, None)])
def test_the_user_is_of_the_environment_or_else_of_the_file(tmp_path, line, environment, user):
    script = tmp_path / "repository" / "scripts" / SCRIPT.name
    script.parent.mkdir(parents=True)
    shutil.copy(SCRIPT, script)
    shutil.copytree(WORKERS, tmp_path / "repository" / "workers", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    (tmp_path / "repository" / ".env").write_bytes(f"OTHER=1\n{line}\n".encode())
    ended = build(tmp_path, "--dry-run", "--base", BASE, "--tag", "v1", "siglip2", script=script, **environment)
    if user:
        assert ended.returncode == 0 and f" {user}/loci-siglip2:v1 " in ended.stdout, ended.stderr
    else:
        assert ended.returncode == 1 and "DOCKER_HUB_USERNAME" in ended.stderr


@pytest.mark.parametrize(("there", "architecture", "told"), [
    (MANIFEST + " ", "amd64", "lies there"), (MANIFEST, "arm64", "not for linux/amd64")])
def test_what_lies_there_must_be_what_was_built(tmp_path, there, architecture, told):
    ended = build(tmp_path, "--base", BASE, "--tag", "v1", "--user", "someone", "siglip2", there=there, architecture=architecture)
    assert ended.returncode == 1 and told in ended.stderr and "deploy" not in ended.stdout


def test_a_dry_run_checks_and_prints_and_calls_no_docker(tmp_path):
    ended = build(tmp_path, "--dry-run", "--base", BASE, "--tag", "v1", "--user", "someone")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("+ docker buildx build") == 3 and ended.stdout.count("+ docker buildx imagetools") == 6
    assert not asked(tmp_path)


@pytest.mark.parametrize(("arguments", "told"), [
    (["--base", "python:3.11"], "a tag may change"), (["--base", "python@sha256:abc"], "64 hexadecimal digits"),
    (["--base", BASE, "--user", "No Name"], "DOCKER_HUB_USERNAME"), (["--base", BASE, "--user", "a", "--tag", "a b"], "cannot be a tag"),
    (["whisper"], "is no worker"), (["--tag"], "needs a value"),
])
def test_what_is_missing_or_wrong_is_told_before_anything_is_built(tmp_path, arguments, told):
    ended = build(tmp_path, *arguments)
    assert ended.returncode == 1 and told in ended.stderr and not asked(tmp_path)


def test_without_a_base_image_nothing_is_built(tmp_path):
    if [line for line in (WORKERS / "base-image").read_text().splitlines() if line and not line.startswith("#")]:
        pytest.skip("a base image is chosen")
    ended = build(tmp_path, "--tag", "v1", "--user", "someone")
    assert ended.returncode == 1 and "no base image is chosen" in ended.stderr and not asked(tmp_path)
