/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ramp: after a recovery an instance admits a share of its calls that grows by steps until it is everything. Records come late,
 * again and out of order, the link is lost, the circuit opens again in the middle, the agent goes away.
 */
#include "common.pml"

#define STEPS 3        /* shares 1 … STEPS, and then EVERYTHING */
#define EVERYTHING 4
#define NOWHERE 0      /* not closed */
#ifndef EPOCHS
#define EPOCHS 5       /* odd ones are open, even ones closed */
#endif

#define is_closed(e) ((e) % 2 == 0)

byte epoch = 0;        /* of the fleet */
byte known = 0;        /* the instance's */
byte record = 0;       /* under way, as epoch + 1; 0 = none */
bit link = 1;
bit agent = 1;         /* it is there */
bit ramping = 0;       /* and this is what it has to go on with */
byte share = EVERYTHING;

/* What was last seen, for the properties. */
byte share_before = EVERYTHING;
byte epoch_before = 0;

inline look() {
  /* Within one epoch, and without an opening, it only grows. */
  assert(epoch_before != known || share_before == NOWHERE || share == NOWHERE || share >= share_before);
  /* What is not everything is going on, or the circuit is not closed. */
  assert(share == EVERYTHING || share == NOWHERE || ramping || !agent);
  share_before = share;
  epoch_before = known
}

active proctype fleet() {
  do
  :: d_step { epoch < EPOCHS -> epoch++ }
  :: d_step { link && record == 0 && (known < epoch) -> record = epoch + 1 }
  /* An old record comes again. */
  :: d_step { link && record == 0 && MAY(REPEATED) -> FAULT_HAPPENS; record = known + 1 }
  :: d_step { link && record == 0 && known > 1 && MAY(REPEATED) -> FAULT_HAPPENS; record = known - 1 }
  :: d_step { link && MAY(LINKS) -> FAULT_HAPPENS; link = 0; record = 0
#ifdef MUTANT_RAMP_STOPS_WITHOUT_LINK
       ; ramping = 0
#endif
     }
  :: d_step { !link -> link = 1 }
  od
}

#ifdef MUTANT_APPLIED_AGAIN
#define is_new (record - 1 >= known)
#else
#define is_new (record - 1 > known)
#endif

inline apply() {
  known = record - 1;
  if
  :: is_closed(known) -> share = 1; ramping = 1
  :: else -> share = NOWHERE; ramping = 0
  fi
}

active proctype instance() {
  do
  :: d_step { record != 0 && !agent -> record = 0 }
  :: d_step { record != 0 && agent ->
       if
       :: is_new -> apply()
       :: else
       fi;
       record = 0;
       look() }
  /* alone, it recovers by itself, at once */
  :: d_step { share == NOWHERE && (!link || !agent) -> share = EVERYTHING; look() }
  /* the agent ends, or its time in the breaker's block has passed without a word from it */
  :: d_step { agent && MAY(CRASHES) -> agent = 0
#ifndef MUTANT_RAMP_OUTLIVES_AGENT
       ; ramping = 0;
       if :: share != NOWHERE -> share = EVERYTHING :: else fi;
       look()
#endif
     }
  od
}

active proctype clock() {
  do
  /* a step has lasted its time */
  :: d_step { agent && ramping ->
#ifdef MUTANT_LAST_STEP_FORGOTTEN
       if :: share < STEPS -> share++ :: else -> ramping = 0 fi;
#else
       share++;
#endif
       if :: share == EVERYTHING -> ramping = 0 :: else fi;
       look() }
  od
}

active proctype calls() {
  do
  /* the breaker opens by its own rules: that ends the ramp */
  :: d_step { share != NOWHERE && share != EVERYTHING && known < EPOCHS ->
       share = NOWHERE;
       ramping = 0;
       look();
       /* the fleet hears of it, or has gone on already */
       if :: epoch == known && is_closed(epoch) -> epoch++ :: else fi }
  :: true -> skip /* or all goes well */
  od
}

/* It ends: at everything, or with an opening. */
ltl ends { [] ((share != EVERYTHING && share != NOWHERE) -> <> (share == EVERYTHING || share == NOWHERE)) }
