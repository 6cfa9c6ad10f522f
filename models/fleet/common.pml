/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the models of the fleet protocol share.
 *
 * Faults. In a check of safety a fault may happen at any time, for ever. In a check of progress (-DFAULTS=n) only n of
 * them happen, after which the links are fair: "finally" has a meaning only there.
 */

#ifdef FAULTS
byte faults = FAULTS;
#define FAULT_LEFT faults > 0
#define FAULT_HAPPENS faults--
#else
#define FAULT_LEFT true
#define FAULT_HAPPENS skip
#endif

/*
 * Each check allows some kinds of faults (-DLINKS=1 …), so that each of them can be exhaustive.
 */
#define MAY(kind) (kind > 0 && FAULT_LEFT)
#ifndef LINKS
#define LINKS 0     /* connections break and come back */
#endif
#ifndef CRASHES
#define CRASHES 0   /* instances end and begin anew */
#endif
#ifndef LOSSES
#define LOSSES 0    /* so often the store loses everything */
#endif
#ifndef FAILOVERS
#define FAILOVERS 0 /* the store forgets its last decision */
#endif
#ifndef LOST
#define LOST 0      /* messages get lost */
#endif
#ifndef REPEATED
#define REPEATED 0  /* messages come again, any time later */
#endif
#ifndef LATE
#define LATE 0      /* replies come too late to be used */
#endif
#ifndef UNUSED
#define UNUSED 0    /* offers are not taken, probes end without a verdict */
#endif
#ifndef SILENT
#define SILENT 0    /* probes do not end within their lease */
#endif
#ifndef OPERATOR
#define OPERATOR 0  /* somebody decides by hand */
#endif

/* The phases of a breaker's gate. */
#define OFF 0       /* the machine is alone */
#define SHUT 1      /* no probe is admitted */
#define OFFERED 2   /* one probe may be acquired */
#define TAKEN 3     /* a probe took it */
#define SUCCEEDED 4
#define FAILED 5
#define RETURNED 6  /* ignored or abandoned */

/* Time goes on when nothing happens: what has come to rest in a wrong state is found as a cycle, too. */
#define REST active proctype rest() { do :: true -> skip od }
