// What all files of one build have in common.

/** Names the build, as far as the files among each other and the module are concerned. */
export const build = `${KIIWEB_VERSION} ${KIIWEB_BUILD}`;
