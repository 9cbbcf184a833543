// Compiles C# with Roslyn, for a machine that has .NET's runtime and no SDK. Debian's mcs compiles this file, which is why
// all of Roslyn is called by reflection: mcs cannot read the libraries of .NET 5 and later.
//
//   OUTPUT ROSLYN REFERENCES SOURCE...    ROSLYN: its directory; REFERENCES: a file, one library a line
using System;
using System.Collections;
using System.IO;
using System.Reflection;

static class Compile
{
    const int Error = 3; // of Microsoft.CodeAnalysis.DiagnosticSeverity
    const int ConsoleApplication = 0; // of Microsoft.CodeAnalysis.OutputKind

    static Assembly code, csharp;

    static Type Find(string name)
    {
        name = "Microsoft.CodeAnalysis." + name;
        return csharp.GetType(name) ?? code.GetType(name, true);
    }

    static bool Fits(MethodBase method, object[] given)
    {
        ParameterInfo[] wanted = method.GetParameters();
        if (wanted.Length < given.Length)
            return false;
        for (int i = 0; i < wanted.Length; ++i)
            if (i < given.Length ? !wanted[i].ParameterType.IsInstanceOfType(given[i]) : !wanted[i].IsOptional)
                return false;
        return true;
    }

    // `given`, and the defaults of the parameters behind them.
    static object[] Complete(MethodBase method, object[] given)
    {
        ParameterInfo[] wanted = method.GetParameters();
        object[] all = new object[wanted.Length];
        for (int i = 0; i < wanted.Length; ++i)
        {
            Type type = wanted[i].ParameterType;
            object absent = type.IsValueType ? Activator.CreateInstance(type) : null;
            all[i] = i < given.Length ? given[i] : wanted[i].DefaultValue ?? absent;
        }
        return all;
    }

    static object Call(string type, string name, object target, params object[] given)
    {
        foreach (MethodInfo method in Find(type).GetMethods())
            if (method.Name == name && Fits(method, given))
                return method.Invoke(target, Complete(method, given));
        throw new MissingMethodException(type, name);
    }

    static Array Each(string type, string maker, string method, string[] values)
    {
        Array all = Array.CreateInstance(Find(type), values.Length);
        for (int i = 0; i < values.Length; ++i)
            all.SetValue(Call(maker, method, null, values[i]), i);
        return all;
    }

    static object Options()
    {
        object[] kind = { Enum.ToObject(Find("OutputKind"), ConsoleApplication) };
        foreach (ConstructorInfo constructor in Find("CSharp.CSharpCompilationOptions").GetConstructors())
            if (Fits(constructor, kind))
                return constructor.Invoke(Complete(constructor, kind));
        throw new MissingMethodException("CSharpCompilationOptions");
    }

    static object Get(object of, string property)
    {
        return of.GetType().GetProperty(property).GetValue(of, null);
    }

    static int Main(string[] arguments)
    {
        code = Assembly.LoadFrom(Path.Combine(arguments[1], "Microsoft.CodeAnalysis.dll"));
        csharp = Assembly.LoadFrom(Path.Combine(arguments[1], "Microsoft.CodeAnalysis.CSharp.dll"));
        string[] sources = new string[arguments.Length - 3];
        for (int i = 0; i < sources.Length; ++i)
            sources[i] = File.ReadAllText(arguments[i + 3]);
        object compilation = Call("CSharp.CSharpCompilation", "Create", null,
            Path.GetFileNameWithoutExtension(arguments[0]),
            Each("SyntaxTree", "CSharp.CSharpSyntaxTree", "ParseText", sources),
            Each("MetadataReference", "MetadataReference", "CreateFromFile", File.ReadAllLines(arguments[2])),
            Options());
        object result;
        using (FileStream output = File.Create(arguments[0]))
            result = Call("Compilation", "Emit", compilation, output);
        foreach (object diagnostic in (IEnumerable)Get(result, "Diagnostics"))
            if ((int)Get(diagnostic, "Severity") == Error)
                Console.WriteLine(diagnostic);
        return (bool)Get(result, "Success") ? 0 : 1;
    }
}
