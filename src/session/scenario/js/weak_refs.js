// Of the language: references that keep nothing alive.

host.addWeakRefs();
