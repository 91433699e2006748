/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * refuse-tiles COMMAND…: runs a command to which the system refuses the registers of AMX, as a container may: a filter
 * of system calls answers the request with EPERM. Status 77 when there can be no filter.
 */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CANNOT_RUN 77
#define REQUEST_PERMISSION 0x1023

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)

int main(int count, char **arguments) {
  struct sock_filter steps[] = {LOAD(arch),
                                SKIP_UNLESS(AUDIT_ARCH_X86_64, 5),
                                LOAD(nr),
                                SKIP_UNLESS(SYS_arch_prctl, 3),
                                LOAD(args[0]),
                                SKIP_UNLESS(REQUEST_PERMISSION, 1),
                                ANSWER(SECCOMP_RET_ERRNO | EPERM),
                                ANSWER(SECCOMP_RET_ALLOW)};
  const struct sock_fprog filter = {.len = sizeof steps / sizeof *steps, .filter = steps};
  if (count < 2) return 2;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    return CANNOT_RUN;
  execvp(arguments[1], arguments + 1);
  perror(arguments[1]);
  return 2;
}
