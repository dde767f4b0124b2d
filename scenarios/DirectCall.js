// One user calls another; sound and video go straight between them.
VoxEngine.forwardCallToUserDirect();
