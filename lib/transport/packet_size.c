/* SPDX-License-Identifier: MIT */
#include "transport/packet_size.h"

#include <stdlib.h>
#include <string.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#define SHOWN "maxpacket : "

static _Thread_local bool too_small;

static void
on_log(int priority, const char *function, const char *text, void *arg)
{
	const char *size = strstr(text, SHOWN);

	(void)priority;
	(void)arg;
	if (size && strcmp(function, "ssh_packet_channel_open_conf") == 0 &&
	    strtoul(size + strlen(SHOWN), NULL, 10) < PACKET_SIZE_LEAST)
		too_small = true;
}

void
packet_size_watch(void)
{
	too_small = false;
	ssh_set_log_callback(on_log);
	ssh_set_log_level(SSH_LOG_PROTOCOL);
}

void
packet_size_leave(void)
{
	ssh_set_log_level(SSH_LOG_NOLOG);
}

bool
packet_size_is_enough(void)
{
	return !too_small;
}
