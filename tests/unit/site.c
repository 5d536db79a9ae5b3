/* SPDX-License-Identifier: MIT */
/* Names and paths follow from the numbers, which begin at 1 for people and at 0 for us. */
#include "site.h"

#include <stdarg.h>
#include <stdlib.h>

static struct disk *
new_disk(struct host *h, size_t number, size_t index)
{
	struct disk *d = mem_alloc(1, sizeof(*d));

	d->host = h;
	d->name = mem_printf("d%zu", number);
	d->path = mem_printf("%s/%s", h->path, d->name);
	d->device = mem_printf("/nowhere/%s-%s", h->name, d->name);
	d->index = index;
	return d;
}

static void
init_host(struct site *s, size_t i, size_t n_disks)
{
	struct host *h = &s->hosts[i];

	h->group = &s->group;
	h->name = mem_printf("h%zu", i + 1);
	h->path = mem_printf("/colo/%s", h->name);
	h->address = mem_strdup(h->name);
	h->username = mem_strdup("root");
	h->transport = TRANSPORT_LOCAL;
	h->index = i;
	h->disks = mem_alloc(n_disks, sizeof(struct disk *));
	h->n_disks = n_disks;
	for (size_t k = 0; k < n_disks; k++) {
		h->disks[k] = new_disk(h, k + 1, s->all.n);
		s->all.at[s->all.n++] = h->disks[k];
	}
}

struct site *
site_new(size_t n_hosts, size_t n_disks)
{
	struct site *s = mem_alloc(1, sizeof(*s));

	s->group.name = mem_strdup("colo");
	s->group.path = mem_strdup("/colo");
	s->n_hosts = n_hosts;
	s->hosts = mem_alloc(n_hosts, sizeof(*s->hosts));
	s->all.at = mem_alloc(n_hosts * n_disks, sizeof(const struct disk *));
	s->all.all = true;
	for (size_t i = 0; i < n_hosts; i++)
		init_host(s, i, n_disks);
	return s;
}

static void
free_disk(struct disk *d)
{
	free(d->name);
	free(d->path);
	free(d->device);
	free(d->uuid);
	for (int k = 0; k < HOOK_KINDS; k++)
		argv_done(&d->hooks[k].words);
	free(d);
}

static void
free_host(struct host *h)
{
	for (size_t i = 0; i < h->n_disks; i++)
		free_disk(h->disks[i]);
	for (int k = 0; k < HOOK_KINDS; k++)
		argv_done(&h->hooks[k].words);
	free(h->disks);
	free(h->after);
	free(h->name);
	free(h->path);
	free(h->address);
	free(h->username);
}

void
site_free(struct site *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_hosts; i++)
		free_host(&s->hosts[i]);
	free(s->hosts);
	free(s->all.at);
	free(s->group.name);
	free(s->group.path);
	free(s);
}

struct host *
site_host(struct site *s, size_t i)
{
	return &s->hosts[i];
}

struct disk *
site_disk(struct site *s, size_t host, size_t disk)
{
	return s->hosts[host].disks[disk];
}

void
site_hook(struct hook *h, ...)
{
	const char *word;
	va_list args;

	va_start(args, h);
	while ((word = va_arg(args, const char *)))
		argv_add(&h->words, word);
	va_end(args);
	h->has_placeholders = true;
}

void
site_shell(struct hook *h, const char *script)
{
	site_hook(h, "sh", "-c", script, NULL);
	h->has_placeholders = false;
}

void
site_after(struct site *s, size_t later, size_t first)
{
	struct host *h = site_host(s, later);
	const struct host **item = mem_push(&h->after, &h->n_after, sizeof(const struct host *));

	*item = site_host(s, first);
}
