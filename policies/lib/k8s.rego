# What policies share about objects of any kind.
package tidewaiter.lib.k8s

# The object as messages name it.
label := sprintf("%s `%s`", [input.kind.kind, input.name]) if input.name != ""

label := sprintf("a %s without a name", [input.kind.kind]) if input.name == ""

# A field of the object; null where there is none, or no object (at DELETE).
field(name) := object.get(input.object, name, null) if is_object(input.object)

field(_) := null if input.object == null

# The elements of a list; none of anything else, which the schema check reports.
items(value) := value if is_array(value)

items(value) := [] if not is_array(value)
