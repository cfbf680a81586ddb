"""Finding an elder, ringing back, and acting for them on the telephone; paper codes for those without one."""
