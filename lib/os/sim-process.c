/* SPDX-License-Identifier: MIT
 *
 * Pipes and scripted programs of the simulated system. A program has ended, with all its output
 * written, when spawn returns.
 */
#include "os/sim-private.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

int sim_make_pipe(hn_os *os, int ends[2])
{
	sim *system = sim_of(os);
	sim_pipe *pipe;
	int code = sim_enter(system);

	if (code < 0)
		return code;
	pipe = calloc(1, sizeof(*pipe));
	if (pipe == NULL)
		return -ENOMEM;
	ends[0] = sim_handle_add(system, NULL, pipe, O_RDONLY);
	if (ends[0] < 0) {
		free(pipe);
		return ends[0];
	}
	pipe->readers = 1;
	ends[1] = sim_handle_add(system, NULL, pipe, O_WRONLY);
	if (ends[1] < 0) {
		sim_close(os, ends[0]);
		return ends[1];
	}
	pipe->writers = 1;
	return 0;
}

void sim_pipe_close(sim_pipe *pipe, int flags)
{
	if ((flags & O_ACCMODE) == O_RDONLY)
		pipe->readers--;
	else
		pipe->writers--;
	if (pipe->readers > 0 || pipe->writers > 0)
		return;
	free(pipe->content.bytes);
	free(pipe);
}

ssize_t sim_read(hn_os *os, int fd, void *bytes, size_t size)
{
	sim_handle *handle = sim_handle_of(sim_of(os), fd);
	sim_pipe *pipe;
	ssize_t got;
	int code;

	if (handle == NULL)
		return -EBADF;
	if (handle->node != NULL) {
		got = sim_pread(os, fd, bytes, size, handle->position);
		if (got > 0)
			handle->position += got;
		return got;
	}
	code = sim_enter(sim_of(os));
	if (code < 0)
		return code;
	pipe = handle->pipe;
	if (size > pipe->content.size - pipe->taken)
		size = pipe->content.size - pipe->taken;
	if (size == 0)
		return pipe->writers > 0 ? -EAGAIN : 0;
	memcpy(bytes, pipe->content.bytes + pipe->taken, size);
	pipe->taken += size;
	return (ssize_t)size;
}

ssize_t sim_write_stream(hn_os *os, int fd, const void *bytes, size_t size)
{
	sim_handle *handle = sim_handle_of(sim_of(os), fd);
	ssize_t put;
	int code;

	if (handle == NULL)
		return -EBADF;
	if (handle->node != NULL) {
		put = sim_pwrite(os, fd, bytes, size, handle->position);
		if (put > 0)
			handle->position += put;
		return put;
	}
	code = sim_enter(sim_of(os));
	if (code < 0)
		return code;
	if (handle->pipe->readers == 0)
		return -EPIPE;
	code = sim_content_write(&handle->pipe->content, handle->pipe->content.size, bytes, size);
	return code < 0 ? code : (ssize_t)size;
}

int sim_poll(hn_os *os, int fd, short events, int64_t timeout)
{
	sim *system = sim_of(os);
	const sim_handle *handle = sim_handle_of(system, fd);
	short ready = 0;
	int code = sim_enter(system);

	if (code < 0)
		return code;
	if (handle == NULL)
		return -EBADF;
	if (handle->node != NULL) {
		ready = (short)(events & (POLLIN | POLLOUT));
	} else if ((handle->flags & O_ACCMODE) == O_RDONLY) {
		if (handle->pipe->content.size > handle->pipe->taken)
			ready = (short)(events & POLLIN);
		if (handle->pipe->writers == 0)
			ready = (short)(ready | POLLHUP);
	} else {
		ready = handle->pipe->readers > 0 ? (short)(events & POLLOUT) : POLLERR;
	}
	if (ready != 0)
		return ready;
	/* Nothing else runs, so waiting only lets time pass. */
	if (timeout > 0)
		hn_os_sim_advance(os, timeout);
	return -ETIMEDOUT;
}

int sim_connect_unix(hn_os *os, const char *path)
{
	sim_node *node;
	int code = sim_enter(sim_of(os));

	if (code == 0)
		code = sim_find(sim_of(os), path, &node);
	return code < 0 ? code : -ECONNREFUSED;
}

/* Written by the program and not by who started it: no counted call, and if it fails, the program
 * still ends. */
static int write_output(sim *system, int fd, const char *output)
{
	sim_handle *handle = fd >= 0 ? sim_handle_of(system, fd) : NULL;
	size_t size = strlen(output);

	if (handle == NULL)
		return fd >= 0 ? -EBADF : 0;
	if (handle->node == NULL)
		return sim_content_write(
			&handle->pipe->content, handle->pipe->content.size, output, size);
	if (sim_node_write(system, handle->node, output, size, handle->position) > 0)
		handle->position += (off_t)size;
	return 0;
}

int sim_spawn(hn_os *os, const hn_os_spawn *what, pid_t *pid)
{
	sim *system = sim_of(os);
	const sim_program *program = system->programs;
	sim_process *process;
	int code = sim_enter(system);

	if (code < 0)
		return code;
	if (program == NULL)
		return -ENOSYS;
	while (program != NULL && strcmp(program->name, what->argv[0]) != 0)
		program = program->next;
	if (program == NULL)
		return -ENOENT;
	code = write_output(system, what->out, program->output);
	if (code < 0)
		return code;
	process = calloc(1, sizeof(*process));
	if (process == NULL)
		return -ENOMEM;
	process->pid = ++system->last_pid;
	process->status = (program->exit_status & 0xff) << 8;
	process->next = system->processes;
	system->processes = process;
	*pid = process->pid;
	return 0;
}

int sim_wait(hn_os *os, pid_t pid, int64_t timeout, int *status)
{
	sim_process **link = &sim_of(os)->processes;
	sim_process *found;

	(void)timeout;
	while (*link != NULL && (*link)->pid != pid)
		link = &(*link)->next;
	found = *link;
	if (found == NULL)
		return -ECHILD;
	if (status != NULL)
		*status = found->status;
	*link = found->next;
	free(found);
	return 0;
}

int sim_kill(hn_os *os, pid_t pid, int signal)
{
	const sim_process *process = sim_of(os)->processes;

	(void)signal;
	while (process != NULL && process->pid != (pid < 0 ? -pid : pid))
		process = process->next;
	return process != NULL ? 0 : -ESRCH;
}

void sim_processes_clear(sim *system)
{
	sim_process *next;

	for (sim_process *one = system->processes; one != NULL; one = next) {
		next = one->next;
		free(one);
	}
	system->processes = NULL;
}

int hn_os_sim_program(
	hn_os *os, const char *name, int exit_status, const char *output, hn_error **err)
{
	sim *system = sim_of(os);
	sim_program *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	made->name = strdup(name);
	made->output = strdup(output != NULL ? output : "");
	if (made->name == NULL || made->output == NULL) {
		free(made->name);
		free(made->output);
		free(made);
		return base_nomem(err);
	}
	made->exit_status = exit_status;
	made->next = system->programs; /* the newest of a name is found first */
	system->programs = made;
	return 0;
}
