from app.jobs import Jobs

LIME = ("tab", "lime")


def test_a_new_job_stops_the_one_before_it() -> None:
    jobs = Jobs()
    first = jobs.start(LIME)
    second = jobs.start(LIME)
    assert first.is_set()
    assert not second.is_set()


def test_stopping_reaches_the_running_job_and_no_other() -> None:
    jobs = Jobs()
    lime, shap, elsewhere = jobs.start(LIME), jobs.start(("tab", "shap")), jobs.start(("other", "lime"))
    jobs.stop(LIME)
    assert (lime.is_set(), shap.is_set(), elsewhere.is_set()) == (True, False, False)


def test_a_connection_that_ends_stops_all_its_jobs() -> None:
    jobs = Jobs()
    lime, shap, elsewhere = jobs.start(LIME), jobs.start(("tab", "shap")), jobs.start(("other", "lime"))
    jobs.stop_all_of("tab")
    assert (lime.is_set(), shap.is_set(), elsewhere.is_set()) == (True, True, False)


def test_an_ended_job_is_forgotten_but_not_its_successor() -> None:
    jobs = Jobs()
    first = jobs.start(LIME)
    second = jobs.start(LIME)
    jobs.end(LIME, first)
    assert len(jobs) == 1
    jobs.end(LIME, second)
    assert len(jobs) == 0


def test_stopping_what_does_not_run_is_harmless() -> None:
    Jobs().stop(LIME)
