"""Print the path of the demo's data: Fair's survey of 6 366 marriages (1978), a CSV file inside statsmodels."""

from importlib.resources import files

print(files("statsmodels") / "datasets" / "fair" / "fair.csv")
