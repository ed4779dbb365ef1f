/* SPDX-License-Identifier: MIT
 *
 * Counters, gauges and their text.
 */
#include "helper.h"

TestSuite(metrics, .init = setup, .fini = teardown);

static void expect(const char *expected)
{
	BASE_AUTO_FREE char *text = NULL;

	OK(events_metrics_text(events, &text, err));
	cr_assert_str_eq(text, expected);
}

static void reopen(void)
{
	events_close(events);
	state_close(store);
	OK(state_open(os, PATH, false, false, &store, err));
	OK(events_open(store, &events, err));
}

Test(metrics, none)
{
	expect("# EOF\n");
}

Test(metrics, families_and_samples)
{
	OK(events_gauge_set(events, "hypernix_units", "state=\"stopped\"", 2));
	OK(events_counter_add(
		events, "hypernix_plan_steps_total", "class=\"hot\",result=\"done\"", 3));
	OK(events_gauge_set(events, "hypernix_units", "state=\"running\"", 5));
	OK(events_gauge_set(events, "hypernix_drift_keys", "", -1));
	OK(events_counter_add(events, "hypernix_plan_steps", "class=\"hot\",result=\"done\"", 4));
	expect("# TYPE hypernix_drift_keys gauge\n"
	       "hypernix_drift_keys -1\n"
	       "# TYPE hypernix_plan_steps counter\n"
	       "hypernix_plan_steps_total{class=\"hot\",result=\"done\"} 7\n"
	       "# TYPE hypernix_units gauge\n"
	       "hypernix_units{state=\"running\"} 5\n"
	       "hypernix_units{state=\"stopped\"} 2\n"
	       "# EOF\n");
}

Test(metrics, counters_add_up_over_processes_and_gauges_do_not)
{
	OK(events_counter_add(events, "c", "", 2));
	OK(events_gauge_set(events, "g", "", 2));
	reopen(); /* closing flushes */
	OK(events_counter_add(events, "c", "", 3));
	OK(events_gauge_set(events, "g", "", 3));
	expect("# TYPE c counter\nc_total 5\n# TYPE g gauge\ng 3\n# EOF\n");
	expect("# TYPE c counter\nc_total 5\n# TYPE g gauge\ng 3\n# EOF\n");
}

Test(metrics, a_counter_of_what_is_counted_elsewhere_never_falls)
{
	OK(events_counter_raise(events, "records_total", "", 7));
	OK(events_metrics_flush(events, err));
	OK(events_counter_raise(events, "records_total", "", 9));
	expect("# TYPE records counter\nrecords_total 9\n# EOF\n");
	reopen();
	OK(events_counter_raise(events, "records_total", "", 8));
	expect("# TYPE records counter\nrecords_total 9\n# EOF\n");
}

Test(metrics, what_is_called_seconds_is_counted_in_nanoseconds)
{
	OK(events_counter_add(events, "took_seconds", "", 1500000001));
	OK(events_gauge_set(events, "lag_seconds", "", -250000000));
	OK(events_gauge_set(events, "a_seconds_ago", "", 5));
	expect("# TYPE a_seconds_ago gauge\na_seconds_ago 5\n"
	       "# TYPE lag_seconds gauge\nlag_seconds -0.250000000\n"
	       "# TYPE took_seconds counter\ntook_seconds_total 1.500000001\n# EOF\n");
}

Test(metrics, a_flushed_count_is_not_added_again)
{
	OK(events_counter_add(events, "c", "", 2));
	OK(events_metrics_flush(events, err));
	OK(events_counter_add(events, "c", "", 3));
	expect("# TYPE c counter\nc_total 5\n# EOF\n");
}

Test(metrics, append_flushes_them)
{
	OK(events_counter_add(events, "c", "", 2));
	append("t", "s");
	cr_assert_not(events_metrics_pending(events));
	expect("# TYPE c counter\nc_total 2\n# EOF\n");
}

Test(metrics, rollback_of_the_caller_loses_no_counts)
{
	OK(events_counter_add(events, "c", "", 2));
	OK(state_begin(store, err));
	append("t", "s");
	FAILS(HN_EINVAL, events_metrics_flush(events, err));
	state_rollback(store);
	expect("# TYPE c counter\nc_total 2\n# EOF\n");
}

Test(metrics, failed_flush_keeps_the_counts)
{
	OK(events_counter_add(events, "c", "", 2));
	hn_os_sim_fail(os, 1, true, 28);
	FAILS(HN_ENOSPC, events_metrics_flush(events, err));
	hn_os_sim_fail(os, 0, false, 0);
	cr_assert(events_metrics_pending(events));
	expect("# TYPE c counter\nc_total 2\n# EOF\n");
}

Test(metrics, nothing_to_flush_writes_nothing)
{
	OK(events_counter_add(events, "c", "", 2));
	OK(events_metrics_flush(events, err));
	uint64_t writes = state_writes(store);
	OK(events_metrics_flush(events, err));
	cr_assert_eq(state_writes(store), writes);
}

Test(metrics, names_and_labels_are_checked)
{
	static const char *const names[] = {"", "9a", "a-b", "A", "a{b", "a b"};
	static const char *const labels[] = {"state", "state=", "state=running", "state=\"x",
		"=\"x\"", "a=\"x\",", ",a=\"x\"", "a=\"x\"b=\"y\"", "a=\"\n\"", "a=\"\\q\"",
		"a=\"\xff\"", "9=\"x\""};

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		cr_assert_eq(
			events_counter_add(events, names[i], "", 1), HN_EINVAL, "%s", names[i]);
	for (size_t i = 0; i < BASE_COUNT(labels); i++)
		cr_assert_eq(
			events_gauge_set(events, "g", labels[i], 1), HN_EINVAL, "%s", labels[i]);
	OK(events_gauge_set(events, "g", "a=\"q\\\"uote \\\\ \\n\",b=\"\"", 1));
	expect("# TYPE g gauge\ng{a=\"q\\\"uote \\\\ \\n\",b=\"\"} 1\n# EOF\n");
}

Test(metrics, one_name_one_kind)
{
	OK(events_counter_add(events, "x", "", 1));
	cr_assert_eq(events_gauge_set(events, "x", "", 1), HN_EINVAL);
}

Test(metrics, a_counter_does_not_wrap)
{
	OK(events_counter_add(events, "c", "", UINT64_MAX));
	OK(events_metrics_flush(events, err));
	OK(events_counter_add(events, "c", "", 5));
	expect("# TYPE c counter\nc_total 9223372036854775807\n# EOF\n");
}

Test(metrics, series_are_bounded)
{
	char labels[32];

	for (int i = 0; i < 4096; i++) {
		snprintf(labels, sizeof(labels), "n=\"%d\"", i);
		OK(events_gauge_set(events, "g", labels, i));
	}
	cr_assert_eq(events_gauge_set(events, "g", "n=\"more\"", 1), HN_ELIMIT);
	OK(events_gauge_set(events, "g", "n=\"7\"", 1));
}
