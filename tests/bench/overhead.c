/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What it costs to run one check in a child of its own, beside a bare fork and wait. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vantage/executor.h>

#define RUNS 500

extern const struct pw_check pw_check_compare;

static double now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double bare_forks(void)
{
	double start = now_ms();
	for (int i = 0; i < RUNS; i++) {
		pid_t pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) < 0)
			exit(1);
	}
	return (now_ms() - start) / RUNS;
}

static double checks(struct pw_executor *executor, struct pw_arena *arena, const struct pw_val *params)
{
	struct pw_vantage here = { .kind = PW_AT_HERE };
	struct pw_err err = PW_ERR_INIT;
	double start = now_ms();
	for (unsigned i = 1; i <= RUNS; i++) {
		struct pw_task task = { .id = i, .check = &pw_check_compare, .vantage = &here, .params = params };
		struct pw_task_done done;
		if (pw_executor_start(executor, &task, &err) || pw_executor_wait(executor, 5000, -1, arena, &done, &err) != 1 || done.code) {
			fprintf(stderr, "overhead: %s\n", err.text);
			exit(1);
		}
	}
	return (now_ms() - start) / RUNS;
}

int main(void)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_executor_config config = { .jobs = 1 };
	struct pw_executor *executor = pw_executor_new(&config, &err);
	struct pw_arena *arena = pw_arena_new((size_t)64 << 20);
	struct pw_val *given = pw_val_map(arena), *params = NULL;
	pw_map_set_str(given, "left", "1");
	pw_map_set_str(given, "right", "1");
	if (!executor || pw_params_check(&pw_check_compare, given, arena, &params, &err)) {
		fprintf(stderr, "overhead: %s\n", err.text);
		return 1;
	}
	double forks = bare_forks(), each = checks(executor, arena, params);
	printf("%-46s %11.3f ms   a bare fork and wait %.3f ms\n", "one check in a child of its own", each, forks);
	pw_executor_free(executor);
	pw_arena_free(arena);
	return 0;
}
