// Written for any Node, however old: it says in one sentence why a newer one is needed to install the pinned one.
var major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error(
    'Order Manager needs Node 20 or newer with npm to install itself (it then runs on the Node 24 that it pins); this is Node ' +
      process.versions.node +
      '.',
  );
  process.exit(1);
}
