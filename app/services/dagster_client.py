"""A running Dagster webserver, asked by GraphQL: launch, follow and terminate runs."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from app.domain.types import Document
from app.errors import ConflictError, UnavailableError

TIMEOUT_SECONDS = 10.0
LAUNCH_TIMEOUT_SECONDS = 60.0  # Dagster answers once the run's process is there

_FIND_JOB = """
query { repositoriesOrError { __typename
  ... on RepositoryConnection { nodes { name location { name } jobs { name } } }
  ... on PythonError { message } } }
"""
_ADD_PARTITION = """
mutation ($key: String!, $name: String!, $repository: RepositorySelector!) {
  addDynamicPartition(partitionKey: $key, partitionsDefName: $name, repositorySelector: $repository)
  { __typename ... on UnauthorizedError { message } ... on PythonError { message } } }
"""
_LAUNCH = """
mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } }
  ... on RunConfigValidationInvalid { errors { message } }
  ... on Error { message } } }
"""
_FIND_RUN = """
query ($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 1) { __typename
  ... on Runs { results { runId } } ... on Error { message } } }
"""
_FOLLOW = """
query ($id: ID!) { runOrError(runId: $id) { __typename
  ... on Run { status startTime endTime }
  ... on PythonError { message } } }
"""
_FAILURES = """
query ($id: ID!, $after: String) { runOrError(runId: $id) { __typename
  ... on Run { eventConnection(afterCursor: $after, limit: 500) { cursor hasMore events {
    ... on RunFailureEvent { message error { message } }
    ... on ExecutionStepFailureEvent { stepKey message error { message } } } } } } }
"""
_TERMINATE = """
mutation ($id: String!, $policy: TerminateRunPolicy!) {
  terminateRun(runId: $id, terminatePolicy: $policy) { __typename
  ... on TerminateRunFailure { message } ... on Error { message } } }
"""


class DagsterClient:
    """Ask a Dagster webserver.

    Parameters
    ----------
    url : str
        Such as ``http://dagster:3000``.
    transport : httpx.BaseTransport or None
        How to get there; None is the network.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def require(self, job: str) -> Document:
        """Find the code location that has a job; Dagster must answer.

        Parameters
        ----------
        job : str
            Name of the job.

        Returns
        -------
        dict
            ``repositoryName`` and ``repositoryLocationName``.

        Raises
        ------
        UnavailableError
            If Dagster does not answer, or has not loaded the job.
        """
        answer = self._ask(_FIND_JOB, {})["repositoriesOrError"]
        for repository in self._expect(answer, "RepositoryConnection")["nodes"]:
            if job in {one["name"] for one in repository["jobs"]}:
                return {
                    "repositoryName": repository["name"],
                    "repositoryLocationName": repository["location"]["name"],
                }
        raise UnavailableError(
            f"Dagster at {self.url} has not loaded {job}: let it load app.pipeline.definitions.",
            url=self.url,
            job=job,
        )

    def launch(
        self,
        job: str,
        *,
        partitions: tuple[str, ...],
        run_config: Document,
        tags: Mapping[str, str],
    ) -> str:
        """Launch a job, its partitions added first: an unknown one fails seconds later.

        Parameters
        ----------
        job : str
            Name of the job.
        partitions : tuple of str
            Keys of ``batches``; the run's own is the last.
        run_config : dict
            Dagster's run configuration.
        tags : mapping of str
            The run's tags.

        Returns
        -------
        str
            Dagster's id of the run.

        Raises
        ------
        UnavailableError
            If Dagster does not answer.
        ConflictError
            If it refuses.
        """
        repository = self.require(job)
        for key in partitions:
            named = {"key": key, "name": "batches", "repository": repository}
            added = self._ask(_ADD_PARTITION, named)["addDynamicPartition"]
            self._expect(added, "AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError")
        all_tags = {**tags, "dagster/partition": partitions[-1]}
        params = {
            "selector": {**repository, "jobName": job},
            "runConfigData": run_config,
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in all_tags.items()]
            },
        }
        launched = self._ask(_LAUNCH, {"params": params}, LAUNCH_TIMEOUT_SECONDS)["launchRun"]
        return str(self._expect(launched, "LaunchRunSuccess")["run"]["runId"])

    def find(self, tag: str, value: str) -> str | None:
        """Find the run that carries a tag.

        Parameters
        ----------
        tag, value : str
            The tag.

        Returns
        -------
        str or None
            Its id; None if there is none.

        Raises
        ------
        UnavailableError
            If Dagster does not answer.
        """
        wanted = {"filter": {"tags": [{"key": tag, "value": value}]}}
        found = self._expect(self._ask(_FIND_RUN, wanted)["runsOrError"], "Runs")["results"]
        return str(found[0]["runId"]) if found else None

    def status(self, run_id: str) -> str | None:
        """Give the state of a run.

        Parameters
        ----------
        run_id : str
            Dagster's id.

        Returns
        -------
        str or None
            Dagster's word, such as ``STARTED``; None if it does not know the run.

        Raises
        ------
        UnavailableError
            If Dagster does not answer.
        """
        answer = self._ask(_FOLLOW, {"id": run_id})["runOrError"]
        if answer["__typename"] == "RunNotFoundError":
            return None
        return str(self._expect(answer, "Run")["status"])

    def failure(self, run_id: str) -> str:
        """Give the reason for which a run failed, where no asset of ours noted one.

        Parameters
        ----------
        run_id : str
            Dagster's id.

        Returns
        -------
        str
            The last failure's message; "" if there is none.

        Raises
        ------
        UnavailableError
            If Dagster does not answer.
        """
        message, after, more = "", None, True
        while more:
            answer = self._ask(_FAILURES, {"id": run_id, "after": after})["runOrError"]
            page = self._expect(answer, "Run")["eventConnection"]
            for event in page["events"]:
                if event:
                    error = event.get("error") or {}
                    message = (error.get("message") or event["message"]).strip()
            after, more = page["cursor"], page["hasMore"]
        return message

    def terminate(self, run_id: str, *, at_once: bool = False) -> None:
        """Ask Dagster to end a run; one that has ended already is left.

        Parameters
        ----------
        run_id : str
            Dagster's id.
        at_once : bool
            Mark it cancelled though nobody can be asked: its process or code server is gone.

        Raises
        ------
        UnavailableError
            If Dagster does not answer.
        """
        policy = "MARK_AS_CANCELED_IMMEDIATELY" if at_once else "SAFE_TERMINATE"
        answer = self._ask(_TERMINATE, {"id": run_id, "policy": policy})["terminateRun"]
        self._expect(answer, "TerminateRunSuccess", "TerminateRunFailure", "RunNotFoundError")

    def _ask(self, query: str, variables: Document, timeout: float = TIMEOUT_SECONDS) -> Document:
        try:
            question = {"query": query, "variables": variables}
            response = self._http.post("/graphql", json=question, timeout=timeout)
            response.raise_for_status()
            answer: Document = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnavailableError(
                f"Dagster at {self.url} does not answer: {error or type(error).__name__}",
                url=self.url,
            ) from error
        if answer.get("errors") or not answer.get("data"):
            reasons = "; ".join(str(one.get("message")) for one in answer.get("errors") or [])
            raise UnavailableError(f"Dagster at {self.url} refused: {reasons}", url=self.url)
        data: Document = answer["data"]
        return data

    def _expect(self, answer: Document, *kinds: str) -> dict[str, Any]:
        if answer["__typename"] in kinds:
            return answer
        problems = [answer.get("message"), *(one["message"] for one in answer.get("errors") or [])]
        said = "; ".join(problem for problem in problems if problem) or answer["__typename"]
        raise ConflictError(f"Dagster at {self.url} refused: {said}", url=self.url)
