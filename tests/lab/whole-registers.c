/* SPDX-License-Identifier: MIT */
/*
 * linux.uml saves and restores the floating point registers of its processes in an area of fixed
 * size. On a processor with larger registers (AMX) the kernel refuses to restore a part of them
 * (EFAULT), and the guest panics at its first process. Preloaded by boot, this fills up the part
 * with what is there. The guest cannot use those registers, so nothing of its own is lost.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long
set_whole(pid_t pid, const struct iovec *part)
{
	static __thread unsigned char all[1 << 16]; /* several times what any processor has */
	struct iovec whole = { all, sizeof(all) };

	if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &whole) < 0)
		return -1;
	memcpy(all, part->iov_base, part->iov_len < whole.iov_len ? part->iov_len : whole.iov_len);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &whole);
}

/* As in libc: what is read by PEEK comes back as the result, all else goes through. */
long
ptrace(enum __ptrace_request request, ...)
{
	va_list rest;
	long word = 0, r;

	va_start(rest, request);
	pid_t pid = va_arg(rest, pid_t);
	void *addr = va_arg(rest, void *), *data = va_arg(rest, void *);
	va_end(rest);

	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
		r = syscall(SYS_ptrace, request, pid, addr, &word);
		if (r < 0)
			return r;
		errno = 0;
		return word;
	}
	r = syscall(SYS_ptrace, request, pid, addr, data);
	if (r < 0 && errno == EFAULT && request == PTRACE_SETREGSET && (long)addr == NT_X86_XSTATE)
		return set_whole(pid, data);
	return r;
}
